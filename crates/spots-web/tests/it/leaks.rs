//! The leak scanner finds nothing where nothing leaks, and each kind of leak where one is planted.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use base64::Engine as _;
use rusqlite::Connection;
use serde_json::Value;
use spots_privacy::{SystemRandomness, remains};
use spots_testkit::app::TestApp;
use spots_web::leaks::{Hunt, Leak, PAGE_ROUTES, Secret, Share, Walk, WalkError, Walked};
use spots_web::{Carrier, Mail, Settings};
use tempfile::TempDir;

fn document() -> Value {
    serde_json::to_value(spots_web::openapi()).unwrap()
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every test of this module runs in a process of its own, or shares the log with the others.
fn logged() -> Log {
    static LOG: Mutex<Option<Log>> = Mutex::new(None);
    let mut log = LOG.lock().unwrap();
    log.get_or_insert_with(|| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        drop(tracing::subscriber::set_global_default(subscriber));
        log
    })
    .clone()
}

/// Settings with letters that this carries.
fn mailing(carrier: Carrier) -> Settings {
    let mail = Mail::new(carrier, "spots@spots.example", "https://spots.example");
    Settings {
        mail: Some(mail.unwrap()),
        ..Settings::default()
    }
}

/// An app whose letters go into a folder, and that folder.
fn with_letters() -> (TestApp, TempDir) {
    let letters = tempfile::tempdir().unwrap();
    let carrier = Carrier::Folder(letters.path().to_owned());
    let app = TestApp::with_settings(mailing(carrier)).unwrap();
    (app, letters)
}

async fn begun(router: Router, letters: &TempDir) -> Walk {
    let walk = Walk::begin(router, letters.path(), &SystemRandomness);
    walk.await.unwrap()
}

#[test]
fn the_walk_knows_every_page_that_the_sources_register() {
    let known: BTreeSet<_> = PAGE_ROUTES
        .iter()
        .map(|route| (*route).to_owned())
        .collect();
    let unknown: Vec<_> = crate::leak::routes_in_sources()
        .difference(&known)
        .cloned()
        .collect();
    assert!(unknown.is_empty(), "add to PAGE_ROUTES: {unknown:?}");
}

#[tokio::test]
async fn nothing_comes_out_of_any_route_letter_log_or_file() {
    let log = logged();
    let (app, letters) = with_letters();
    let walk = begun(app.router(), &letters).await;
    let wrapped = wrapped_keys(&app.folder().join("spots.sqlite"));
    assert_eq!(wrapped.len(), walk.shares().len());
    let document = document();
    let walked = walk.everywhere(&document).await.unwrap();
    assert_eq!(walked.leaks, [], "on the routes");
    let asked = |method: &str, path: &str| walked.routes.contains(&format!("{method} {path}"));
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            assert!(
                asked(&method.to_uppercase(), path),
                "{method} {path} was not asked"
            );
        }
    }
    let text = log.0.lock().unwrap().clone();
    assert!(
        String::from_utf8_lossy(&text).contains("answered"),
        "nothing was logged"
    );
    let letters = walk.letters(&wrapped).unwrap();
    assert_eq!(letters.leaks, []);
    assert!(letters.count >= 4, "one to each address: {letters:?}");
    let secrets = [walk.secrets(), letters.tokens.clone()].concat();
    assert_eq!(Hunt::new(&secrets).unwrap().search("the log", &text), []);

    let backup = tempfile::tempdir().unwrap();
    settle(
        &app.folder().join("spots.sqlite"),
        &backup.path().join("backup.sqlite"),
    );
    let secrets = [walk.stored_secrets(), letters.tokens, wrapped].concat();
    let hunt = Hunt::new(&secrets).unwrap();
    for folder in [app.folder(), backup.path()] {
        assert_eq!(hunt.search_folder(folder).unwrap(), []);
        assert_eq!(still_opening(&app, walk.shares(), folder), 0);
    }
}

#[tokio::test]
async fn nothing_comes_out_of_any_route_or_file_on_postgres() {
    let letters = tempfile::tempdir().unwrap();
    let carrier = Carrier::Folder(letters.path().to_owned());
    let app = TestApp::on_postgres_with(mailing(carrier)).await.unwrap();
    let walk = begun(app.router(), &letters).await;
    let database = app.postgres().unwrap();
    let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let rows = client.query("SELECT wrapped_key FROM share_keys", &[]);
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), walk.shares().len());
    let key = |row: &tokio_postgres::Row| Secret {
        what: "destroyed key",
        bytes: row.get(0),
    };
    let wrapped: Vec<_> = rows.iter().map(key).collect();
    let keys = Hunt::new(&wrapped).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let early = folder.path().join("early.sql");
    database.dump(&early).unwrap();
    assert_eq!(keys.search_file(&early).unwrap().len(), rows.len());

    let Walked { leaks, .. } = walk.everywhere(&document()).await.unwrap();
    assert_eq!(leaks, [], "on the routes");
    let letters = walk.letters(&wrapped).unwrap();
    assert_eq!(letters.leaks, []);
    client.batch_execute("CHECKPOINT").await.unwrap();
    let dump = folder.path().join("dump.sql");
    database.dump(&dump).unwrap();
    assert!(
        std::fs::read_to_string(&dump)
            .unwrap()
            .contains("Kanary House"),
        "the dump is empty"
    );
    let hunt = Hunt::new(&[walk.stored_secrets(), letters.tokens].concat()).unwrap();
    assert_eq!(hunt.search_file(&dump).unwrap(), []);
    assert_eq!(keys.search_file(&dump).unwrap(), []);
    // Data files, write-ahead log, the server's own log. Destroyed keys stay in the first two until
    // PostgreSQL writes over them.
    assert_eq!(hunt.search_folder(database.cluster_folder()).unwrap(), []);
}

/// The wrapped keys as secrets.
fn wrapped_keys(path: &Path) -> Vec<Secret> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT wrapped_key FROM share_keys")
        .unwrap();
    let keys = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .unwrap();
    keys.map(|bytes| Secret {
        what: "destroyed key",
        bytes: bytes.unwrap(),
    })
    .collect()
}

fn settle(path: &Path, backup: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    connection
        .execute("VACUUM INTO ?1", [backup.to_str().unwrap()])
        .unwrap();
}

/// How many fields still open with a key from a file of this folder.
fn still_opening(app: &TestApp, shares: &[Share], folder: &Path) -> usize {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let opens = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let opens = |Share { share, field }: &&Share| {
            remains::find_opening(app.keys(), (share, field), &bytes).is_some()
        };
        shares.iter().filter(opens).count()
    };
    files.map(opens).sum()
}

/// What a defect may know of the first canary whose data is shared.
#[derive(Clone, Debug, Default)]
struct Known {
    agents: Vec<String>,
    names: Vec<String>,
}

/// Puts something where it must not be.
type Defect = fn(&Known, &mut String, &mut axum::http::HeaderMap);

/// The platform with a defect in what answers `/healthz`.
fn defective(router: Router, defect: Defect) -> Router {
    let known: Arc<Mutex<Known>> = Arc::default();
    router.layer(from_fn(move |request: Request, next: Next| {
        let known = Arc::clone(&known);
        async move { pass(known, defect, request, next).await }
    }))
}

async fn pass(known: Arc<Mutex<Known>>, defect: Defect, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    if path == "/api/v1/me/profile" && parts.method == "PUT" {
        let profile: Value = serde_json::from_slice(&body).unwrap_or_default();
        let name = profile["name"].as_str().map(str::to_owned);
        known.lock().unwrap().names.extend(name);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut text = String::from_utf8_lossy(&body).into_owned();
    if path == "/api/v1/accounts" {
        let account: Value = serde_json::from_slice(&body).unwrap_or_default();
        known
            .lock()
            .unwrap()
            .agents
            .extend(account["agentId"].as_str().map(str::to_owned));
    }
    if path == "/healthz" {
        defect(&known.lock().unwrap(), &mut text, &mut parts.headers);
        parts.headers.remove("content-length");
        return Response::from_parts(parts, Body::from(text));
    }
    Response::from_parts(parts, Body::from(body))
}

/// The guest is the second who signs up.
fn name(known: &Known) -> &str {
    &known.names[1]
}

fn agent(known: &Known) -> &str {
    &known.agents[1]
}

const DEFECTS: [(&str, &str, Defect); 10] = [
    ("agent id", "as it is", |known, text, _| {
        text.push_str(agent(known));
    }),
    ("agent id", "as it is", |known, text, _| {
        text.push_str(&agent(known).to_uppercase());
    }),
    ("agent id", "as it is", |known, _, headers| {
        headers.insert("x-guest", HeaderValue::from_str(agent(known)).unwrap());
    }),
    ("agent id", "hexadecimal", |known, text, _| {
        text.extend(agent(known).bytes().map(|byte| format!("{byte:02X}")));
    }),
    ("name", "base64", |known, text, _| {
        let bytes = format!("id={}", name(known));
        text.push_str(&base64::engine::general_purpose::STANDARD.encode(bytes));
    }),
    ("name", "percent-encoded", |known, text, _| {
        text.extend(name(known).bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02x}"),
        }));
    }),
    ("name", "HTML", |known, text, _| {
        let escaped = name(known).replace('&', "&amp;").replace('<', "&lt;");
        text.push_str(&escaped.replace('"', "&quot;").replace('\'', "&#39;"));
    }),
    ("name", "lower case", |known, text, _| {
        text.push_str(&name(known).to_lowercase());
    }),
    ("name", "JSON", |known, text, _| {
        text.push_str(&name(known).replace('ö', "\\u00f6").replace('Ö', "\\u00D6"));
    }),
    ("name", "JSON", |known, text, _| {
        text.push_str(&Value::from(name(known)).to_string());
    }),
];

#[tokio::test]
async fn each_kind_of_leak_is_found_where_it_was_planted() {
    for (what, form, defect) in DEFECTS {
        let (app, letters) = with_letters();
        let router = defective(app.router(), defect);
        let walk = begun(router, &letters).await;
        let Walked { leaks, .. } = walk.everywhere(&document()).await.unwrap();
        let found = |leak: &Leak| {
            leak.what == what && leak.form == form && leak.place.ends_with(" /healthz")
        };
        assert!(leaks.iter().any(found), "{what}, {form}: {leaks:?}");
        let elsewhere = leaks.iter().find(|leak| !leak.place.ends_with(" /healthz"));
        assert_eq!(elsewhere, None, "{what}, {form}");
    }
}

#[tokio::test]
async fn a_leak_into_the_log_or_a_file_is_found() {
    let log = logged();
    let (app, letters) = with_letters();
    let router = defective(app.router(), |known, _, _| {
        tracing::trace!(guest = name(known), "somebody came");
    });
    let walk = begun(router, &letters).await;
    let database = app.folder().join("spots.sqlite");
    let wrapped = wrapped_keys(&database);
    let early = tempfile::tempdir().unwrap();
    settle(&database, &early.path().join("early.sqlite"));
    let Walked { leaks, .. } = walk.everywhere(&document()).await.unwrap();
    assert_eq!(leaks, []);
    let hunt = Hunt::new(&walk.secrets()).unwrap();
    let found = hunt.search("the log", &log.0.lock().unwrap());
    assert!(found.iter().any(|leak| leak.what == "name"), "{found:?}");

    // A backup from before the revocation holds the keys, and they open.
    let hunt = Hunt::new(&wrapped).unwrap();
    let found = hunt.search_folder(early.path()).unwrap();
    assert!(
        found.iter().any(|leak| leak.what == "destroyed key"),
        "{found:?}"
    );
    assert_eq!(
        still_opening(&app, walk.shares(), early.path()),
        walk.shares().len()
    );

    // A column that holds data as it is.
    Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('x');")
        .unwrap();
    let name = walk
        .stored_secrets()
        .into_iter()
        .filter(|secret| secret.what == "name")
        .nth(1);
    let name = String::from_utf8(name.unwrap().bytes).unwrap();
    Connection::open(&database)
        .unwrap()
        .execute("INSERT INTO notes VALUES (?1)", [&name])
        .unwrap();
    let hunt = Hunt::new(&walk.stored_secrets()).unwrap();
    let found = hunt.search_folder(app.folder()).unwrap();
    assert!(found.iter().any(|leak| leak.what == "name"), "{found:?}");
}

/// How a defect writes a secret into a letter.
type Written = fn(&[u8]) -> String;

const IN_LETTERS: [(&str, &str, Written); 5] = [
    ("agent id", "as it is", as_it_is),
    ("e-mail address", "as it is", as_it_is),
    ("name", "quoted-printable", |secret| {
        let written = secret.iter().map(|byte| match byte {
            b' '..=b'<' | b'>'..=b'~' => char::from(*byte).to_string(),
            other => format!("={other:02X}"),
        });
        // With soft breaks, as no line may be long.
        written
            .collect::<Vec<_>>()
            .chunks(9)
            .map(<[_]>::concat)
            .collect::<Vec<_>>()
            .join("=\n")
    }),
    ("wish", "base64", |secret| {
        let text = base64::engine::general_purpose::STANDARD.encode(secret);
        let lines = text.as_bytes().chunks(20).map(String::from_utf8_lossy);
        lines.collect::<Vec<_>>().join("\n")
    }),
    ("destroyed key", "hexadecimal", |secret| {
        let digits: Vec<_> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }),
];

fn as_it_is(secret: &[u8]) -> String {
    String::from_utf8(secret.to_vec()).unwrap()
}

/// A mail program that adds what a file holds to each letter, which is empty until somebody shared.
#[tokio::test]
async fn a_leak_into_a_letter_is_found() {
    for (what, form, written) in IN_LETTERS {
        let (letters, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let planted = beside.path().join("planted");
        std::fs::write(&planted, "").unwrap();
        let command = format!(
            "cat - '{}' > \"$(mktemp '{}/XXXXXXXX.eml')\"",
            planted.display(),
            letters.path().display()
        );
        let app = TestApp::with_settings(mailing(Carrier::Command(command))).unwrap();
        let walk = begun(app.router(), &letters).await;
        let keys = wrapped_keys(&app.folder().join("spots.sqlite"));
        let secrets = [walk.secrets(), keys.clone()].concat();
        // The first is the host's member's, the second the guest's.
        let of = |what| secrets.iter().filter(move |secret| secret.what == what);
        let planted_secret = of(what).nth(1).unwrap();
        std::fs::write(&planted, written(&planted_secret.bytes)).unwrap();
        let token = as_it_is(&of("session token").next().unwrap().bytes);
        let keeper = app.bearer(&token);
        let asked = keeper.post("/api/v1/me/email-confirmation", &Value::Null);
        assert_eq!(asked.await.unwrap().status, 202);
        let found = walk.letters(&keys).unwrap().leaks;
        let there = |leak: &Leak| leak.what == what && leak.form == form;
        assert!(found.iter().any(there), "{what}, {form}: {found:?}");
        for leak in found {
            let place = "the letter “Confirm your e-mail address” to the host's member";
            assert!(leak.place.starts_with(place), "{leak}");
        }
    }
}

#[tokio::test]
async fn letters_that_do_not_go_out_prove_nothing() {
    let letters = tempfile::tempdir().unwrap();
    let lost = Carrier::Command("cat > /dev/null".to_owned());
    let app = TestApp::with_settings(mailing(lost)).unwrap();
    let walk = Walk::begin(app.router(), letters.path(), &SystemRandomness).await;
    assert!(matches!(walk, Err(WalkError::NoLetter)), "{walk:?}");
}
