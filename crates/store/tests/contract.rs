//! The store's contract: the same stories, word for word, on SQLite and on PostgreSQL.
//!
//! Each test has a database of its own. PostgreSQL is the server at `YAGURA_TEST_POSTGRES`, which `cargo xtask test` starts;
//! without it these tests start one themselves. A machine without PostgreSQL fails them: nothing is skipped in silence.

mod contract {
    pub mod audit;
    pub mod cycles;
    pub mod database;
    pub mod desk;
    pub mod evidence;
    pub mod hand_over;
    pub mod intake;
    pub mod jobs;
    pub mod killed;
    pub mod opening;
    pub mod people;
    #[path = "../../../../xtask/src/postgres.rs"]
    pub mod postgres;
    pub mod questions;
    pub mod queue;
    pub mod units_of_work;
    pub mod watching;
}

/// Makes two tests of each story: one on each database.
macro_rules! stories {
    ($($part:ident { $($story:ident,)+ })+) => {
        mod sqlite {
            use crate::contract::database::Database;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    crate::contract::$part::$story(&Database::sqlite().await).await;
                }
            )+)+
        }
        mod postgres {
            use crate::contract::database::Database;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    let database = Database::postgres().await;
                    crate::contract::$part::$story(&database).await;
                    database.drop_postgres().await;
                }
            )+)+
        }
    };
}

stories! {
    opening {
        what_was_committed_is_there_after_reopening,
        two_programs_may_make_the_same_new_database_at_once,
        a_store_of_a_newer_program_is_refused,
        an_address_that_leads_nowhere_says_what_to_do,
    }
    units_of_work {
        events_jobs_views_and_alerts_are_committed_together,
        a_dropped_unit_of_work_leaves_nothing_behind,
        a_failing_statement_leaves_nothing_behind,
        work_for_one_tenant_is_done_one_after_the_other_without_gaps,
        incident_numbers_have_no_gaps_after_an_undone_unit_of_work,
        a_lock_that_is_not_given_in_time_is_worth_another_try,
        a_second_program_waits_for_the_first,
        a_unit_of_work_sees_its_own_incident_before_the_commit,
        a_decision_taken_twice_makes_its_jobs_once,
        state_is_the_fold_of_the_events,
    }
    evidence {
        evidence_is_there_with_its_content_or_not_at_all_rel_05,
        evidence_is_not_there_for_another_tenant_sec_02,
        changed_and_deleted_evidence_is_named_and_never_shown_rel_22,
    }
    killed {
        a_killed_program_loses_nothing_that_it_said_was_committed,
    }
    audit {
        an_honest_audit_holds_and_counts_its_rows,
        an_audit_holds_while_others_write,
        a_flipped_field_is_named,
        a_deleted_event_is_named,
        reordered_events_are_named,
        an_inserted_event_is_named,
        a_value_of_the_wrong_kind_is_named,
        a_truncated_chain_is_found_even_with_its_head_put_right,
        a_chain_rewritten_from_the_middle_is_found,
        a_tenant_that_vanished_as_a_whole_is_found,
        an_event_of_an_invented_tenant_is_found,
        a_changed_root_is_named,
        a_root_that_was_handed_out_finds_what_was_rewritten_as_a_whole,
        a_fault_of_one_tenant_does_not_hide_another,
    }
    intake {
        a_checkpoint_moves_with_the_commit_alone,
        a_newer_version_replaces_an_alert_and_keeps_its_incident,
        alerts_are_known_within_the_unit_of_work_that_took_them,
        keys_are_recalled_as_of_now,
        one_tenants_keys_are_not_anothers,
        a_key_with_a_long_history_gives_its_newest,
        a_large_batch_fits,
        text_that_a_database_cannot_hold_holds_nothing_up,
        the_same_refused_record_is_kept_once,
    }
    jobs {
        no_job_is_claimed_twice_by_eight_workers,
        a_claim_takes_no_more_than_it_asked_for,
        a_lease_that_ran_out_comes_back,
        a_lease_is_over_at_the_instant_it_names_and_one_of_two_gets_the_job,
        only_the_holder_settles_a_job,
        a_worker_that_comes_back_late_is_not_its_successor,
        urgent_jobs_come_first_then_old_ones,
        a_job_waits_for_its_time,
        each_role_claims_its_own,
        a_job_ends_with_its_result_or_not_at_all,
        a_standing_job_asked_for_while_it_runs_runs_once_more_and_never_beside_itself,
        a_dead_job_is_shown_and_can_be_revived,
        the_next_job_is_known_by_its_time_or_by_the_end_of_its_lease,
    }
    queue {
        what_is_due_next_comes_first_then_the_graver_then_the_older,
        each_filter_shows_what_it_names,
        closed_incidents_are_listed_newest_first,
        pages_follow_each_other_without_a_row_lost_or_doubled,
        nobody_sees_another_tenants_rows,
        what_went_wrong_is_shown_within_a_scope,
        an_empty_scope_sees_nothing,
        the_counters_count_what_the_lists_show,
        counting_stops_where_nobody_reads_on,
    }
    hand_over {
        what_is_open_is_handed_over_by_who_has_it_and_due_next_first,
        calls_of_late_are_listed_newest_first_whether_or_not_it_is_still_open,
        the_queue_says_what_is_promised_and_whether_its_clock_runs,
    }
    questions {
        what_waits_for_the_customer_comes_first_then_what_was_asked_last,
        nobody_sees_what_another_tenant_was_asked,
    }
    cycles {
        what_became_of_a_promise_is_kept_with_the_incident,
        a_reopening_ends_a_cycle_and_begins_another,
        an_event_that_moves_no_clock_writes_no_row,
        a_period_holds_what_began_in_it_and_a_scope_what_it_may_see,
        a_clock_that_stops_is_counted_once,
    }
    people {
        a_person_is_kept_as_saved,
        choosing_a_language_changes_nothing_else_of_a_person,
        a_session_ends_when_it_expires_or_is_closed,
        disabling_a_person_ends_their_sessions_at_once,
        a_sign_in_link_works_once,
        a_sign_in_link_expires,
        two_who_use_one_link_at_once_get_one_session,
    }
    watching {
        each_loop_has_one_heartbeat_the_one_written_last,
        the_last_step_of_the_clock_is_known,
        the_figures_say_what_is_open_overdue_waiting_and_counted,
        the_figures_hold_each_job_once,
        a_store_of_before_the_counters_counts_what_it_has,
    }
}
