//! The wall inside PostgreSQL, where it is more than what both databases have: row security, the
//! attendee's role, and roles that are not what they should be.

use spots_migrate::Silent;
use spots_store::model::ShareFilter;
use spots_store::{
    PageRequest, PostgresAddress, PostgresOptions, PostgresStore, Roles, Store as _,
};
use spots_testkit::postgres::Database;

use crate::stage::{Stage, connect, migrated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_forces_row_security_and_opens_to_its_owner_alone() {
    let stage = Stage::postgres(&migrated().await).await;
    let open = "SELECT c.relname FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity)";
    let open = stage.as_role("spots", None, open).await.unwrap();
    assert!(open.is_empty(), "without forced row security: {open:?}");
    let mistaken = "GRANT ALL ON ALL TABLES IN SCHEMA public TO spots_host, spots_attendee";
    stage.run(mistaken).await;
    let (here, there) = (stage.offer(None).await, stage.offer(None).await);
    let ada = stage.person().await;
    for offer in [here, there] {
        let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
        stage.store.book(book).await.unwrap();
    }
    let set = format!("SET spots.host = '{}'", here.host);
    for table in [
        "share_keys",
        "agents",
        "user_agent_mappings",
        "user_keys",
        "agent_bookings",
    ] {
        assert!(stage.count(&format!("SELECT count(*) FROM {table}")).await > 0);
        let sql = format!("SELECT 'row' FROM {table}");
        let rows = stage.as_role("spots_host", Some(&set), &sql).await.unwrap();
        assert!(
            rows.is_empty(),
            "{table} shows {} rows to a host",
            rows.len()
        );
    }
    let sql = "SELECT host_id FROM reservations";
    let rows = stage.as_role("spots_host", Some(&set), sql).await.unwrap();
    assert_eq!(
        rows,
        [here.host.to_string()],
        "a missing filter shows no other host's rows"
    );
    let unset = stage.as_role("spots_host", None, sql).await.unwrap_err();
    assert!(unset.contains("no host is set"), "{unset}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attendee_reads_their_own_and_nobody_elses() {
    let stage = Stage::postgres(&migrated().await).await;
    let offer = stage.offer(None).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    for person in [&ada, &ada, &bob] {
        let book = stage.book_sharing(person.agent(), &offer, &[("name", "Somebody")]);
        stage.store.book(book).await.unwrap();
    }
    assert_eq!(
        stage
            .shares(ada.agent(), ShareFilter::default())
            .await
            .len(),
        2
    );
    let opening = stage.opening(&offer);
    let opened = stage.store.open_guests(opening, PageRequest::FIRST);
    assert_eq!(opened.await.unwrap().items.len(), 3);
    let set = format!("SET spots.agent = '{}'", ada.agent().reveal());
    for (table, own) in [
        ("agent_bookings", 2),
        ("reservations", 2),
        ("guests", 1),
        ("reservation_user_data", 2),
        ("reservation_user_data_fields", 2),
        ("share_keys", 2),
        ("openings", 1),
        ("opened_shares", 2),
    ] {
        let sql = format!("SELECT * FROM {table}");
        let rows = stage
            .as_role("spots_attendee", Some(&set), &sql)
            .await
            .unwrap();
        assert_eq!(rows.len(), own, "{table}");
        let unset = stage.as_role("spots_attendee", None, &sql).await;
        if own > 0 {
            let unset = unset.unwrap_err();
            assert!(unset.contains("no agent is set"), "{table}: {unset}");
        }
    }
    for table in [
        "user_agent_mappings",
        "user_keys",
        "agents",
        "sessions",
        "ledger_entries",
    ] {
        let sql = format!("SELECT * FROM {table}");
        let denied = stage
            .as_role("spots_attendee", Some(&set), &sql)
            .await
            .unwrap_err();
        assert!(denied.contains("permission denied"), "{table}: {denied}");
    }
}

/// What stands in the threat model: row security does not bind whoever writes the whole statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn injected_sql_may_name_another_host_and_still_meets_no_agent() {
    let stage = Stage::postgres(&migrated().await).await;
    let (here, there) = (stage.offer(None).await, stage.offer(None).await);
    let ada = stage.person().await;
    let book = stage.book_sharing(ada.agent(), &there, &[("name", "Ada")]);
    stage.store.book(book).await.unwrap();
    let named = format!("SELECT set_config('spots.host', '{}', false)", there.host);
    let rows = stage
        .as_host(
            Some(here.host),
            &format!("{named}; SELECT code FROM guests"),
        )
        .await;
    assert_eq!(
        rows.unwrap().len(),
        2,
        "the setting, and the other host's guest by a handle"
    );
    for sql in [
        "SELECT agent_id FROM guests",
        "SELECT wrapped_key FROM share_keys",
    ] {
        let denied = stage
            .as_host(Some(here.host), &format!("{named}; {sql}"))
            .await;
        assert!(denied.unwrap_err().contains("permission denied"), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_do_more_or_less_than_its_path_is_refused() {
    let database = migrated().await;
    let store = || async {
        let url = database.url_as("spots_platform");
        PostgresStore::connect(&url, PostgresOptions::default(), &mut Silent)
            .await
            .unwrap()
    };
    for role in ["spots", "spots_platform", "spots_attendee"] {
        let error = store()
            .await
            .with_host_role(&database.url_as(role))
            .await
            .unwrap_err();
        let error = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.contains("may do more"), "{role}: {error}");
    }
    let error = store()
        .await
        .with_attendee_role(&database.url_as("spots_host"))
        .await
        .unwrap_err();
    let error = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.contains("run: spots migrate roles"), "{error}");
    let known = Roles {
        host: "spots_platform".to_owned(),
        ..Roles::default()
    };
    let address = PostgresAddress::parse(&database.url()).unwrap();
    let error = known.set_up(&address).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(
        format!("{cause:?}").contains("may do more than log in"),
        "{cause:?}"
    );
}

/// One URL is enough to begin with; then the wall is the program's alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_role_serves_every_path() {
    let database = Database::create().unwrap();
    let store = connect(&database, PostgresOptions::default()).await;
    store.ping().await.unwrap();
    drop(store);
    let stage = Stage::postgres(&migrated().await).await;
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(book).await.unwrap();
    let url = stage.database().url_as("spots_platform");
    let alone = PostgresStore::connect(&url, PostgresOptions::default(), &mut Silent)
        .await
        .unwrap();
    let opened = alone
        .open_guests(stage.opening(&offer), PageRequest::FIRST)
        .await
        .unwrap();
    assert_eq!(opened.items[0].fields.len(), 1);
}
