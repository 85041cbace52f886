//! What people say: taken, asked, answered, judged, closed, reopened.

use super::*;
use crate::clock::PauseReason;
use crate::language::Language;
use crate::notice;
use crate::question::Answer;

/// Shortest reason for a verdict, in characters. The customer's report quotes it.
const MIN_REASON: usize = 5;

impl Draft<'_> {
    pub(super) fn acknowledge(&mut self, by: &PersonId) -> Result<(), Refused> {
        self.must_be_open()?;
        if let Some(done) = &self.incident.acknowledged {
            return Err(Refused::AlreadyAcknowledged { by: done.by.clone() });
        }
        let responded = self.has_responded();
        self.person(by, Event::Acknowledged);
        self.start_analysis(responded);
        if self.incident.assigned.is_none() {
            self.person(by, Event::Assigned { to: by.clone() });
        }
        Ok(())
    }

    /// Work of a person implies that they have seen it.
    pub(super) fn acknowledge_if_new(&mut self, by: &PersonId) {
        if self.incident.acknowledged.is_none() {
            // Cannot be refused: the incident is open and nobody has acknowledged it.
            let _ = self.acknowledge(by);
        }
    }

    pub(super) fn ask(&mut self, by: &PersonId, addition: Option<Untrusted>) -> Result<(), Refused> {
        self.must_be_open()?;
        // What the floor asked by itself, an analyst may ask more closely: the 72 hours then begin anew.
        if self.incident.open_question().is_some_and(|q| q.waits() && q.by.is_some()) {
            return Err(Refused::QuestionOpen);
        }
        self.acknowledge_if_new(by);
        let question = self.question(Some(by.clone()), addition);
        let id = question.id;
        self.person(by, Event::QuestionAsked { question: Box::new(question) });
        self.tell_of(notice::Kind::Question, Some(id));
        Ok(())
    }

    /// The first notice of an undetermined detection asks at once, at any hour. The analyst's clock goes on.
    pub(super) fn ask_by_itself(&mut self) -> Option<QuestionId> {
        let Judgement { rule, verdict, .. } = self.incident.judgement;
        let can_ask = self.context.tenant.routes().next().is_some();
        if verdict != Verdict::Undetermined || rules::rule(rule).request.is_none() || !can_ask {
            return None;
        }
        let question = self.question(None, None);
        let id = question.id;
        self.push(Actor::RuleFloor, Event::QuestionAsked { question: Box::new(question) });
        Some(id)
    }

    fn question(&self, by: Option<PersonId>, addition: Option<Untrusted>) -> Question {
        Question {
            id: QuestionId(next_number(&self.incident.questions, |id| id.0)),
            by,
            asked_at: self.context.now,
            addition,
            told_at: None,
            reminded: None,
            overdue_at: None,
            answer: None,
        }
    }

    pub(super) fn record_answer(
        &mut self,
        by: &PersonId,
        question: QuestionId,
        meaning: crate::question::Meaning,
        words: Untrusted,
    ) -> Result<(), Refused> {
        let asked = self.incident.questions.get(&question).ok_or(Refused::NoSuchQuestion(question))?;
        if asked.answer.is_some() {
            return Err(Refused::AlreadyAnswered(question));
        }
        // Asked again meanwhile: what the customer says answers what is asked now.
        let question = self.incident.open_question().map_or(question, |newest| newest.id);
        let by_silence = self.incident.verdict_given.as_ref().is_some_and(|v| v.by.person().is_none());
        if !self.incident.phase.is_open() || by_silence {
            // A late answer reopens.
            self.reopened_by(by, words.clone());
        }
        let answer = Answer { at: self.context.now, recorded_by: by.clone(), meaning, words };
        self.person(by, Event::AnswerRecorded { question, answer });
        self.resume(Actor::Person(by.clone()), PauseReason::CustomerAnswer);
        // An answer may lower as well as raise: R13 and R14 are about nothing else.
        let judgement = self.judgement();
        if matches!(judgement.rule, RuleId::R13 | RuleId::R14) {
            self.record_judgement(judgement);
            self.plan_actions(None);
        }
        Ok(())
    }

    pub(super) fn give_verdict(&mut self, by: &PersonId, verdict: Verdict, reason: Untrusted) -> Result<(), Refused> {
        self.must_be_open()?;
        if verdict == Verdict::Undetermined {
            return Err(Refused::NotAVerdict);
        }
        must_say_why(&reason)?;
        self.acknowledge_if_new(by);
        self.person(by, Event::VerdictGiven { verdict, reason });
        // A verdict ends the waiting.
        self.resume(Actor::Person(by.clone()), PauseReason::CustomerAnswer);
        self.tell(notice::Kind::Verdict);
        Ok(())
    }

    pub(super) fn close(&mut self, by: &PersonId) -> Result<(), Refused> {
        self.must_be_open()?;
        if self.incident.verdict_given.is_none() {
            return Err(Refused::NoVerdict);
        }
        if !self.incident.actions_settled() {
            return Err(Refused::ActionRunning);
        }
        self.acknowledge_if_new(by);
        self.resume(Actor::Person(by.clone()), PauseReason::CustomerHold);
        self.person(by, Event::Closed);
        Ok(())
    }

    /// A person says so in one click; nothing closes by itself (REL-24, AI-05).
    pub(super) fn close_as_repeat(&mut self, by: &PersonId) -> Result<(), Refused> {
        self.must_be_open()?;
        let repeats = self.incident.repeats.clone().filter(|_| self.incident.is_mere_repeat());
        let Some(Repeat { incident, verdict, equal }) = repeats else { return Err(Refused::NotARepeat) };
        if !self.incident.actions_settled() {
            return Err(Refused::ActionRunning);
        }
        let said = self.context.tenant.languages.iter().map(|language| {
            let equal = Equal::list(&equal, *language);
            match language {
                Language::Ja => {
                    format!("{incident} と同一の事象であるため、同じ判定とします（一致した項目：{equal}）。")
                }
                Language::En => format!("The same event as {incident}, so the same verdict (equal: {equal})."),
            }
        });
        let reason = Untrusted::new(&said.collect::<Vec<_>>().join("\n"));
        self.give_verdict(by, verdict, reason)?;
        self.close(by)
    }

    pub(super) fn present_analysis(&mut self, by: &PersonId, text: Untrusted) -> Result<(), Refused> {
        self.must_be_open()?;
        must_say_why(&text)?;
        self.acknowledge_if_new(by);
        self.person(by, Event::AnalysisPresented { text });
        self.tell(notice::Kind::Analysis);
        Ok(())
    }

    pub(super) fn raise_priority(&mut self, by: &PersonId, to: Priority, reason: Untrusted) -> Result<(), Refused> {
        self.must_be_open()?;
        must_say_why(&reason)?;
        if to >= self.incident.priority() {
            return Err(Refused::NotARise(self.incident.priority()));
        }
        let gravest_before = self.incident.clocks.as_ref().map(Clocks::gravest);
        self.person(by, Event::PriorityRaised { priority: to, reason });
        self.keep_promises(gravest_before);
        if to == Priority::P0 && !self.incident.dfir {
            self.person(by, Event::DfirDeclared);
        }
        self.tell(notice::Kind::Update);
        Ok(())
    }

    pub(super) fn hold(&mut self, by: &PersonId, reason: Untrusted) -> Result<(), Refused> {
        self.must_be_open()?;
        must_say_why(&reason)?;
        if self.is_paused_for(PauseReason::CustomerHold) {
            return Err(Refused::OnHold);
        }
        self.acknowledge_if_new(by);
        self.person(by, Event::NoteAdded { visibility: Visibility::Internal, text: reason });
        self.pause(Actor::Person(by.clone()), PauseReason::CustomerHold, self.context.now);
        Ok(())
    }

    pub(super) fn end_hold(&mut self, by: &PersonId) -> Result<(), Refused> {
        if !self.is_paused_for(PauseReason::CustomerHold) {
            return Err(Refused::NotOnHold);
        }
        self.resume(Actor::Person(by.clone()), PauseReason::CustomerHold);
        Ok(())
    }

    pub(super) fn reopen(&mut self, by: &PersonId, reason: Untrusted) -> Result<(), Refused> {
        if self.incident.phase.is_open() {
            return Err(Refused::NotClosed);
        }
        must_say_why(&reason)?;
        self.reopened_by(by, reason);
        Ok(())
    }

    /// The promised times begin anew, or it would be late at once.
    pub(super) fn reopened_by(&mut self, by: &PersonId, reason: Untrusted) {
        self.person(by, Event::Reopened { rule: None, grounds: Vec::new(), reason: Some(reason) });
        self.record_judgement(self.incident.judgement.clone());
    }
}

fn must_say_why(reason: &Untrusted) -> Result<(), Refused> {
    let length = reason.for_matching().trim().chars().count();
    if length < MIN_REASON { Err(Refused::ReasonMissing) } else { Ok(()) }
}
