//! Where faults of our own side strike: at a commit of the store, and at a call to the outside.
//!
//! A process that dies stops being polled: the seam says so, `alive` drops it, and what it had committed or told others is
//! all that is left of it.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use domain::TenantId;
use store::{AtCommit, Trouble};

/// Shared by every seam of one story.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seams(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    commit: Option<(u64, AtCommit)>,
    call: Option<(u64, AtCall)>,
    died: bool,
    struck: u64,
}

/// When a process dies that calls somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtCall {
    /// Before the other side hears of it.
    DiesBefore,
    /// When the other side has done it.
    DiesAfter,
}

impl Seams {
    /// The commit after the next `skip` ones goes wrong.
    pub(crate) fn strike_commit(&self, skip: u64, what: AtCommit) {
        self.lock().commit = Some((skip, what));
    }

    /// The caller of the call after the next `skip` ones dies.
    pub(crate) fn strike_call(&self, skip: u64, what: AtCall) {
        self.lock().call = Some((skip, what));
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        (inner.commit, inner.call) = (None, None);
    }

    /// How often a fault of ours has struck. Whoever does something again in between may not have known better.
    pub(crate) fn struck(&self) -> u64 {
        self.lock().struck
    }

    /// Asked by a far side at each call.
    pub(crate) fn at_call(&self) -> Option<AtCall> {
        let mut inner = self.lock();
        let what = due(&mut inner.call)?;
        inner.died = true;
        inner.struck += 1;
        Some(what)
    }

    /// Polls a process until it ends, `None` when it died on the way.
    pub(crate) async fn alive<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        let mut process = pin!(process);
        std::future::poll_fn(|context| match process.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if std::mem::take(&mut self.lock().died) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble for Seams {
    fn at_commit(&self, _tenant: &TenantId) -> Option<AtCommit> {
        let mut inner = self.lock();
        let what = due(&mut inner.commit)?;
        inner.struck += 1;
        Some(what)
    }

    fn died(&self) {
        self.lock().died = true;
    }
}

fn due<T: Copy>(armed: &mut Option<(u64, T)>) -> Option<T> {
    match armed {
        Some((0, what)) => {
            let what = *what;
            *armed = None;
            Some(what)
        }
        Some((skip, _)) => {
            *skip -= 1;
            None
        }
        None => None,
    }
}
