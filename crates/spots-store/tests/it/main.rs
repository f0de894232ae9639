//! One suite for every backend: what a store promises, whichever database keeps it.

// The attribute tells the lints that helpers beside the tests are test code too.
#![cfg(test)]

mod accounts;
mod bookings;
mod contention;
mod events;
mod guests;
mod hosts;
mod inventory;
mod journal;
mod keys;
mod ledger;
mod legacy;
mod life;
mod link;
mod order;
mod postgres_only;
mod removal;
mod rights;
mod shares;
mod stage;
mod supabase;
mod vouchers;
mod wall;
mod wall_postgres;

/// Makes tests of every function on every backend: on SQLite one each; on PostgreSQL one a module,
/// each function on a copy of one empty database, because a cluster and its tables cost more than
/// they do.
macro_rules! conformance {
    ($($module:ident { $($test:ident)* })*) => {
        mod sqlite {
            $(mod $module {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::$module::$test(&crate::stage::Stage::sqlite()).await;
                }
            )*})*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $module() {
                    let template = crate::stage::migrated().await;
                    $(
                        println!("{}::{}", stringify!($module), stringify!($test));
                        let stage = crate::stage::Stage::postgres(&template).await;
                        Box::pin(crate::$module::$test(&stage)).await;
                    )*
                }
            )*
        }
    };
}

conformance! {
    accounts {
        an_account_signs_in_with_its_own_session
        one_address_has_one_account
        a_profile_is_set_and_removed_by_field
        defaults_are_kept_by_scope
        the_oldest_sessions_end_above_the_limit
        a_new_agent_takes_all_that_the_old_one_had
    }
    hosts {
        a_host_is_found_by_its_members
        requirements_are_immutable_by_version
        requirements_updated_at_once_get_versions_in_turn
    }
    events {
        events_read_back_as_they_were_added
        an_import_updates_by_source
        events_are_listed_by_next_time
        events_are_searched_by_text_type_and_host
    }
    bookings {
        a_booking_is_taken_with_its_evidence
        every_refusal_stores_nothing
        what_changed_meanwhile_is_refused
        a_repeated_request_is_answered_once
        unlimited_events_have_no_position
        a_cancelled_booking_gives_its_places_back
        a_booking_of_somebody_else_is_not_there
        bookings_are_listed_newest_first
        a_guest_has_one_handle_per_host
    }
    contention {
        ten_places_go_to_ten_of_sixty_four
        a_bad_booking_spoils_no_other
        one_request_repeated_at_once_is_taken_once
        everything_at_once_keeps_the_books
    }
    shares {
        each_selection_ends_exactly_its_fields
        what_is_not_mine_is_not_ended
        a_repeated_request_revives_nothing
        time_ends_what_nobody_took_back
        a_shared_field_is_listed_with_its_story
        shares_are_listed_by_host_and_paged
    }
    guests {
        a_host_reads_what_is_shared_now
        an_opening_is_seen_by_the_person
        openings_are_counted_by_field
        a_stranger_opens_nothing
        guests_are_paged_and_chosen_by_slot
        messages_go_to_both_sides
        a_revocation_reaches_hosts_apart_in_time
    }
    ledger {
        entries_get_their_places_in_batches
        servers_that_sequence_at_once_agree
        nothing_in_the_ledger_changes
        what_ended_is_ended_again
        lost_entries_go_back_to_their_places
    }
    inventory {
        every_column_has_its_place
    }
    rights {
        what_is_held_is_told
        a_new_address_signs_in_and_the_old_one_does_not
        an_erasure_counts_what_it_destroys
        people_are_counted_by_event_type_and_day
        everyone_is_listed_for_a_replay
    }
    wall {
        a_host_sees_its_own_rows_and_no_others
        nothing_of_a_guest_is_seen_without_a_host
        agents_keys_and_mapping_are_out_of_reach
        a_host_changes_nothing
        hostile_statements_get_nowhere
    }
    journal {
        entries_are_read_in_one_order
        an_entry_stands_once_under_its_key
        one_key_at_once_is_taken_once
        the_latest_upper_end_counts
        places_taken_and_given_back_are_entered
        what_a_removed_account_did_goes_with_it
        old_entries_are_removed_from_the_oldest_on
    }
    keys {
        a_rotation_wraps_every_key_again_and_touches_no_data
        a_rotation_that_stopped_goes_on
        nothing_comes_back_below_the_floor
        what_ended_during_a_rotation_stays_gone
        a_damaged_key_stops_the_rotation_and_is_named
        keys_of_another_database_are_refused
        what_was_taken_back_is_purged_with_its_epoch
        a_destroyed_key_is_in_no_file_that_can_be_read
        the_key_of_a_deleted_account_is_purged_too
    }
    life {
        what_opens_is_what_the_model_says
        a_called_off_event_ends_all_that_was_shared_for_it
        no_booking_survives_an_event_called_off_at_the_same_time
        of_two_revocations_at_once_one_ends_it
        a_page_that_renders_during_a_revocation_is_recorded_or_finds_nothing
    }
    vouchers {
        an_address_is_confirmed_by_its_latest_letter_once
        a_confirmed_address_that_changes_is_confirmed_no_more
        a_list_of_members_is_its_hosts_own
    }
    removal {
        a_removed_account_leaves_no_row_of_its_own
        a_removed_account_leaves_nothing_to_open
        a_removed_account_takes_no_booking
    }
}
