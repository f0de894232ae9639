//! The clients and the monitoring of a real server.

use std::process::Command;

use crate::server::{Outcome, Server, operator, person, spots};

#[tokio::test]
async fn the_typescript_client_works_with_a_real_server_offline_too() -> Outcome {
    let folder = tempfile::tempdir()?;
    let token = operator(folder.path())?;
    let server = Server::start(spots(folder.path(), &["serve", "--listen", "127.0.0.1:0"]))?;
    let session = person(&reqwest::Client::new(), &server, "ada@example.org").await?;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../clients/ts/e2e/real-server.js"
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "the client is tested by its own platform"
    )]
    let output = Command::new("node")
        .args([script, &server.url, &session, &token])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{error}");
    assert!(said.contains("placed and read"), "{said}");
    server.stop()
}

#[tokio::test]
async fn metrics_answer_this_machine_and_nobody_else() -> Outcome {
    let folder = tempfile::tempdir()?;
    let serve = |more: &[&str]| {
        let plain = ["serve", "--listen", "127.0.0.1:0"];
        Server::start(spots(folder.path(), &[plain.as_slice(), more].concat()))
    };
    let client = reqwest::Client::new();
    let server = serve(&[])?;
    client.get(server.url("/api/v1/time")).send().await?;
    let answer = client.get(server.url("/metrics")).send().await?;
    let media = answer.headers()["content-type"].to_str()?.to_owned();
    assert!(media.starts_with("text/plain; version=0.0.4"), "{media}");
    let text = answer.text().await?;
    for name in [
        "spots_clock_info{node=",
        "spots_clock_offset_seconds ",
        "# TYPE spots_clock_error_bound_seconds gauge",
        "spots_clock_window_seconds ",
        "spots_clock_disruptions_total ",
        "spots_order_leased 1",
        "spots_http_requests_total{route=\"/api/v1/time\",method=\"GET\",status=\"200\"} 1",
        "spots_http_request_duration_seconds_bucket{route=\"/api/v1/time\",method=\"GET\",le=\"+Inf\"} 1",
    ] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }
    let forwarded = client
        .get(server.url("/metrics"))
        .header("x-forwarded-for", "10.0.0.1");
    assert_eq!(forwarded.send().await?.status(), 404);
    let named = client
        .get(server.url("/metrics"))
        .header("host", "spots.example");
    assert_eq!(named.send().await?.status(), 404);
    server.stop()?;

    let server = serve(&["--https-proxy"])?;
    assert_eq!(
        client.get(server.url("/metrics")).send().await?.status(),
        404
    );
    server.stop()
}
