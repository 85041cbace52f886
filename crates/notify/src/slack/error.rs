//! What went wrong with Slack, in the terms a caller acts on.

use std::time::Duration;

use domain::Untrusted;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the address of Slack's methods cannot be used")]
    Address,
    #[error("`{method}` got no answer from Slack")]
    Door { method: &'static str, source: outbound::Error },
    #[error("Slack refused `{method}`: `{}`{}", .word.short(80), shown(.details))]
    Refused { method: &'static str, word: Untrusted, details: Untrusted },
    #[error("the answer of Slack to `{method}` is not readable")]
    Unreadable { method: &'static str, source: serde_json::Error },
    #[error("the post is not among the newest {posts} of the channel, and there are more")]
    TooMuchToRead { posts: u32 },
}

/// Who can mend a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The token is wrong, revoked, or lacks a scope: whoever runs us.
    Token,
    /// The channel is gone, archived, or we are not in it: the customer or whoever runs us.
    Channel,
    /// The first post of the thread is gone: post without a thread.
    Thread,
    /// Slack does not take what we wrote: a fault of ours.
    Post,
    /// Slack has trouble, or wants less haste: time.
    Slack,
    /// A word that we do not know.
    Unknown,
}

impl Error {
    /// Whether the same post may go through later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Door { source, .. } => source.is_transient(),
            Self::Unreadable { .. } => true,
            Self::Refused { .. } => self.cause() == Cause::Slack,
            Self::Address | Self::TooMuchToRead { .. } => false,
        }
    }

    /// Whether the post may stand in the channel although no good answer came: `find` it before sending again (REL-06).
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Door { source, .. } => source.may_have_happened(),
            Self::Unreadable { method, .. } => *method == super::POST,
            // Slack's own description: part of the operation may have succeeded before the error.
            Self::Refused { method, word, .. } => {
                *method == super::POST && matches!(word.for_matching(), "fatal_error" | "internal_error")
            }
            Self::Address | Self::TooMuchToRead { .. } => false,
        }
    }

    /// How long to wait before the next try, when Slack or our own budget says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Door { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    pub fn cause(&self) -> Cause {
        match self {
            Self::Refused { word, .. } => cause_of(word.for_matching()),
            Self::Door { .. } | Self::Unreadable { .. } => Cause::Slack,
            Self::Address | Self::TooMuchToRead { .. } => Cause::Unknown,
        }
    }
}

fn cause_of(word: &str) -> Cause {
    match word {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "no_permission"
        | "not_allowed_token_type"
        | "org_login_required"
        | "ekm_access_denied"
        | "access_denied"
        | "two_factor_setup_required"
        | "team_access_not_granted" => Cause::Token,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_non_threadable_channel"
        | "restricted_action_thread_only_channel" => Cause::Channel,
        "thread_not_found" | "cannot_reply_to_message" | "message_not_found" | "restricted_action_thread_locked" => {
            Cause::Thread
        }
        "invalid_blocks"
        | "invalid_blocks_format"
        | "msg_blocks_too_long"
        | "msg_too_long"
        | "no_text"
        | "too_many_attachments"
        | "invalid_metadata_format"
        | "invalid_metadata_schema"
        | "metadata_too_large"
        | "invalid_arguments"
        | "invalid_json"
        | "json_not_object"
        | "invalid_form_data"
        | "invalid_charset"
        | "invalid_post_type"
        | "missing_post_type"
        | "unknown_method"
        | "deprecated_endpoint" => Cause::Post,
        "ratelimited"
        | "rate_limited"
        | "message_limit_exceeded"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "accesslimited" => Cause::Slack,
        _ => Cause::Unknown,
    }
}

fn shown(details: &Untrusted) -> String {
    let details = details.short(300);
    if details.is_empty() { details } else { format!(" ({details})") }
}
