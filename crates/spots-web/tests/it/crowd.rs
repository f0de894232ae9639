//! Many people, few places, over a real network.

use reqwest::StatusCode;
use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::TestApp;
use tokio::task::JoinSet;

const CLIENTS: usize = 64;
const PLACES: u32 = 10;
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_places_go_to_ten_of_sixty_four() {
    sell_ten_places(&TestApp::new().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_places_go_to_ten_of_sixty_four_on_postgres() {
    sell_ten_places(&TestApp::on_postgres().await.unwrap()).await;
}

async fn sell_ten_places(app: &TestApp) {
    let mira = app.person("Mira").await.unwrap();
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    let mut tokens = Vec::new();
    for index in 0..CLIENTS {
        tokens.push(app.person(&format!("Guest{index}")).await.unwrap().token);
    }
    let serving = app.serve().await.unwrap();
    for _ in 0..ROUNDS {
        let event = mira
            .add_event(&host, EventType::Reservation, Some(PLACES))
            .await
            .unwrap();
        let url = serving.url(&format!("/api/v1/events/{event}/bookings"));
        let mut crowd = JoinSet::new();
        for token in &tokens {
            let request = reqwest::Client::new().post(&url).bearer_auth(token);
            let request = request.header("content-type", "application/json");
            let request = request.body(json!({}).to_string());
            crowd.spawn(async move {
                let answer = request.send().await.unwrap();
                let status = answer.status();
                (status, answer.json::<Value>().await.unwrap())
            });
        }
        let answers = crowd.join_all().await;
        let (taken, told): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|(status, _)| *status == StatusCode::CREATED);
        let mut positions: Vec<_> = taken
            .iter()
            .map(|(_, booking)| booking["position"].as_u64().unwrap())
            .collect();
        positions.sort_unstable();
        assert_eq!(positions, (1..=u64::from(PLACES)).collect::<Vec<_>>());
        assert_eq!(told.len(), CLIENTS - taken.len());
        for (status, problem) in told {
            assert_eq!(
                (status.as_u16(), &problem["code"]),
                (409, &json!("event-full")),
                "{problem}"
            );
        }
    }
}
