//! `docs/supabase.sql` on a PostgreSQL with the roles, the function and the grants that Supabase has.

use spots_migrate::Silent;
use spots_store::{PostgresOptions, PostgresStore};
use spots_testkit::postgres::Database;

use crate::stage::Stage;

/// What Supabase brings: its roles, what they get of new tables, and who a request comes from.
const SUPABASE: &str = "
DO $$ BEGIN
    CREATE ROLE anon NOLOGIN NOINHERIT;
    CREATE ROLE authenticated NOLOGIN NOINHERIT;
    CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
    CREATE ROLE authenticator LOGIN NOINHERIT;
    GRANT anon, authenticated, service_role TO authenticator;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
    )::uuid
$$;
CREATE TABLE of_another_app (x text);
INSERT INTO of_another_app VALUES ('theirs');";
const SCRIPT: &str = include_str!("../../../../docs/supabase.sql");
const ADA: &str = "0a0a0a0a-1111-4222-8333-444444444444";

async fn prepared() -> Stage {
    let database = Database::create().unwrap();
    let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute(SUPABASE).await.unwrap();
    let options = PostgresOptions::default();
    let store = PostgresStore::connect(&database.url(), options, &mut Silent)
        .await
        .unwrap();
    let stage = Stage::on_database(store, database);
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(book).await.unwrap();
    let old = format!(
        "INSERT INTO sharing_defaults (user_id, scope, fields)
         VALUES ('{ADA}', 'reservation', '[]'), ('bob', 'reservation', '[]')"
    );
    stage.run(&old).await;
    stage
}

/// What a request gets: the role by its token, and whose token it is.
async fn request(
    stage: &Stage,
    role: &str,
    user: Option<&str>,
    sql: &str,
) -> Result<Vec<String>, String> {
    let claims = user.map_or_else(String::new, |user| format!("{{\"sub\": \"{user}\"}}"));
    let set = format!("SET ROLE {role}; SET request.jwt.claims = '{claims}'");
    stage.as_role("authenticator", Some(&set), sql).await
}

/// Row security closes the tables for two roles; the third passes it.
async fn service_reads_keys_before_the_script(stage: &Stage) {
    for role in ["anon", "authenticated"] {
        let rows = request(stage, role, Some(ADA), "SELECT 'row' FROM reservations").await;
        assert_eq!(
            rows.unwrap(),
            [""; 0],
            "closed before the script is run, too"
        );
    }
    let open = request(
        stage,
        "service_role",
        None,
        "SELECT wrapped_key FROM share_keys",
    )
    .await;
    assert_eq!(open.unwrap().len(), 1, "why the script is needed");
}

async fn offer_is_read(stage: &Stage, role: &str) {
    for sql in [
        "SELECT title FROM events",
        "SELECT name FROM hosts",
        "SELECT hash FROM requirements",
    ] {
        let rows = request(stage, role, None, sql).await.unwrap();
        assert_eq!(rows.len(), 1, "{role}: {sql}");
    }
}

/// All but the offer, what is the role's own and what is not ours.
async fn the_rest_is_denied(stage: &Stage, role: &str) {
    for table in stage.tables().await {
        let offered = [
            "hosts",
            "events",
            "event_slots",
            "requirements",
            "capacity_pools",
        ];
        let own = ["sharing_defaults", "host_members"];
        let known = offered.contains(&table.as_str())
            || (role == "authenticated" && own.contains(&table.as_str()))
            || table == "of_another_app";
        if !known {
            let sql = format!("SELECT 1 FROM {table}");
            let denied = request(stage, role, Some(ADA), &sql).await.unwrap_err();
            assert!(
                denied.contains("permission denied"),
                "{role}, {table}: {denied}"
            );
            let sql = format!("DELETE FROM {table}");
            assert!(
                request(stage, role, Some(ADA), &sql).await.is_err(),
                "{role}: {sql}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_roles_read_the_offer_and_their_own() {
    let stage = prepared().await;
    service_reads_keys_before_the_script(&stage).await;
    stage.run(SCRIPT).await;
    // Again, as after an upgrade.
    stage.run(SCRIPT).await;

    for role in ["anon", "authenticated", "service_role"] {
        offer_is_read(&stage, role).await;
        the_rest_is_denied(&stage, role).await;
        let theirs = request(&stage, role, None, "SELECT x FROM of_another_app").await;
        assert_eq!(
            theirs.unwrap(),
            ["theirs"],
            "what is not ours stays as it is"
        );
    }
    let users = "SELECT user_id FROM sharing_defaults";
    assert_eq!(
        request(&stage, "authenticated", Some(ADA), users)
            .await
            .unwrap(),
        [ADA]
    );
    assert_eq!(
        request(&stage, "authenticated", None, users).await.unwrap(),
        [""; 0]
    );
    assert!(request(&stage, "anon", None, users).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_says_where_it_does_not_belong() {
    let database = Database::create().unwrap();
    let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute(SUPABASE).await.unwrap();
    let error = client.batch_execute(SCRIPT).await.unwrap_err();
    let error = error.as_db_error().unwrap().message().to_owned();
    assert!(error.contains("no tables of SPOTS"), "{error}");
}
