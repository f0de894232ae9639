//! What an operator's monitoring reads: Prometheus' text format, version 0.0.4.
//!
//! Labels are routes (the pattern, never the path), methods and statuses: no id, no address, no text
//! of a person's. By hand, because a handful of lines is all that the format takes.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use spots_clock::ClockStatus;
use spots_host::Problem;
use spots_store::OrderStatus;

use crate::platform::Platform;

/// Upper ends of the buckets of request durations, in microseconds and as Prometheus writes them.
const BUCKETS: [(u64, &str); 10] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
];
/// What a proxy adds to a request that it hands on.
const FORWARDED: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
];
const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Requests by route and method.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<String, BTreeMap<&'static str, Series>>>);

#[derive(Debug, Default)]
struct Series {
    statuses: BTreeMap<u16, u64>,
    buckets: [u64; BUCKETS.len()],
    micros: u64,
    count: u64,
}

impl Requests {
    fn count(&self, route: &str, method: &'static str, status: StatusCode, micros: u64) {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), BTreeMap::new());
        }
        let Some(methods) = routes.get_mut(route) else {
            return;
        };
        let series = methods.entry(method).or_default();
        *series.statuses.entry(status.as_u16()).or_default() += 1;
        series.count += 1;
        series.micros = series.micros.saturating_add(micros);
        for ((most, _), held) in BUCKETS.iter().zip(&mut series.buckets) {
            *held += u64::from(micros <= *most);
        }
    }
}

/// Counts a request and how long its answer took.
pub(crate) async fn measure(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    let begun = platform.clock().device_time();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = known(request.method());
    let response = next.run(request).await;
    let took = platform.clock().device_time().saturating_sub(begun) / NANOS_PER_MICRO;
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    platform
        .requests()
        .count(route, method, response.status(), took);
    response
}

/// A method's name; those that no route takes share one, so that nobody invents labels.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

/// The metrics on the address that people use: only to a program on this machine that asks by a
/// name of this machine, with no proxy in between. For everybody else there is no such page.
pub(crate) async fn show_at_home(State(platform): State<Platform>, headers: HeaderMap) -> Response {
    if platform.settings().metrics_at_home && is_at_home(&headers) {
        text(&platform)
    } else {
        Problem::of_status(StatusCode::NOT_FOUND).into_response()
    }
}

/// The metrics on an address of their own.
pub(crate) async fn show(State(platform): State<Platform>) -> Response {
    text(&platform)
}

fn is_at_home(headers: &HeaderMap) -> bool {
    if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return false;
    }
    // A page of elsewhere whose name was pointed here still asks by its own name.
    let Some(host) = headers.get(header::HOST) else {
        return true;
    };
    let host = host.to_str().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        if is_port { name } else { host }
    });
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let address: Result<std::net::IpAddr, _> = name.parse();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn text(platform: &Platform) -> Response {
    let media = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    let mut page = Page::default();
    page.clock(&platform.clock().status());
    page.order(platform.store().order());
    page.requests(platform.requests());
    page.single(
        "spots_mapping_openings_total",
        "counter",
        "Openings of the sealed mapping from a user to their agent.",
        platform.mappings(),
    );
    (media, page.0).into_response()
}

/// Text in Prometheus' format.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes all text");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl fmt::Display) {
        self.family(name, kind, help);
        self.line(format_args!("{name} {value}"));
    }

    fn clock(&mut self, status: &ClockStatus) {
        let identity = status.identity;
        let name = "spots_clock_info";
        self.family(name, "gauge", "Who issues timestamps here.");
        let (node, incarnation) = (identity.node(), identity.incarnation());
        let precision = status.precision.as_str();
        self.line(format_args!(
            "{name}{{node=\"{node}\",incarnation=\"{incarnation}\",precision=\"{precision}\"}} 1"
        ));
        let offset = Seconds::of_signed(status.offset);
        let ahead = status.window.mark.saturating_sub(status.server_time);
        for (name, help, value) in [
            (
                "spots_clock_offset_seconds",
                "Server time minus what the device's own clock shows.",
                offset,
            ),
            (
                "spots_clock_lead_seconds",
                "How far the order runs ahead of time.",
                Seconds::of(status.lead),
            ),
            (
                "spots_clock_window_seconds",
                "How far ahead of now timestamps may be issued before the next durable write.",
                Seconds::of(ahead),
            ),
        ] {
            self.single(name, "gauge", help, value);
        }
        self.synchronisation(status);
        self.counts(status);
    }

    fn synchronisation(&mut self, status: &ClockStatus) {
        let bound = status.error_bound;
        let name = "spots_clock_error_bound_seconds";
        self.family(
            name,
            "gauge",
            "True time lies within this; absent when unknown.",
        );
        if let Some(bound) = bound {
            self.line(format_args!("{name} {}", Seconds::of(bound)));
        }
        for (name, help, value) in [
            (
                "spots_clock_synchronized",
                "Whether the error bound is known.",
                u8::from(bound.is_some()),
            ),
            (
                "spots_clock_lead_alarm",
                "Whether the lead is above the alarm threshold.",
                u8::from(status.alarm),
            ),
        ] {
            self.single(name, "gauge", help, value);
        }
    }

    fn counts(&mut self, status: &ClockStatus) {
        for (name, help, value) in [
            (
                "spots_clock_window_extensions_total",
                "Durable writes of the forward window.",
                status.window.extensions,
            ),
            (
                "spots_clock_window_failures_total",
                "Durable writes of the forward window that failed.",
                status.window.failures,
            ),
            (
                "spots_clock_merges_refused_total",
                "Timestamps of peers that were refused.",
                status.merges_refused,
            ),
            (
                "spots_clock_disruptions_total",
                "Steps, sleeps and contradictions that shook the trust in time.",
                status.disruptions_total,
            ),
        ] {
            self.single(name, "counter", help, value);
        }
    }

    fn order(&mut self, status: OrderStatus) {
        for (name, kind, help, value) in [
            (
                "spots_order_leased",
                "gauge",
                "Whether this server holds a place in the database's order.",
                u64::from(status.node.is_some()),
            ),
            (
                "spots_order_open",
                "gauge",
                "Timestamps issued and neither committed nor given up.",
                status.open,
            ),
            (
                "spots_order_leases_total",
                "counter",
                "Leases taken since the start; more than one means that some were lost.",
                status.leases_total,
            ),
        ] {
            self.single(name, kind, help, value);
        }
        let name = "spots_order_final_lag_seconds";
        self.family(
            name,
            "gauge",
            "How far the final mark lies behind this server's order.",
        );
        if let Some(lag) = status.final_lag_ns {
            self.line(format_args!("{name} {}", Seconds::of(lag)));
        }
    }

    fn requests(&mut self, requests: &Requests) {
        let routes = requests.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = || {
            let pairs = routes.iter();
            pairs.flat_map(|(route, methods)| {
                methods
                    .iter()
                    .map(move |(method, series)| (route, method, series))
            })
        };
        let name = "spots_http_requests_total";
        self.family(
            name,
            "counter",
            "Requests answered, by route, method and status.",
        );
        for (route, method, series) in all() {
            for (status, count) in &series.statuses {
                self.line(format_args!(
                    "{name}{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}} {count}"
                ));
            }
        }
        let name = "spots_http_request_duration_seconds";
        self.family(name, "histogram", "How long answers took.");
        for (route, method, series) in all() {
            let of = format!("route=\"{route}\",method=\"{method}\"");
            for ((_, most), held) in BUCKETS.iter().zip(series.buckets) {
                self.line(format_args!("{name}_bucket{{{of},le=\"{most}\"}} {held}"));
            }
            let Series { count, micros, .. } = series;
            self.line(format_args!("{name}_bucket{{{of},le=\"+Inf\"}} {count}"));
            let sum = Seconds::of(micros.saturating_mul(NANOS_PER_MICRO));
            self.line(format_args!("{name}_sum{{{of}}} {sum}"));
            self.line(format_args!("{name}_count{{{of}}} {count}"));
        }
    }
}

/// Nanoseconds written as seconds, exactly.
struct Seconds {
    negative: bool,
    nanos: u64,
}

impl Seconds {
    fn of(nanos: u64) -> Self {
        Self {
            negative: false,
            nanos,
        }
    }

    fn of_signed(nanos: i64) -> Self {
        Self {
            negative: nanos < 0,
            nanos: nanos.unsigned_abs(),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let (whole, part) = (self.nanos / NANOS_PER_SECOND, self.nanos % NANOS_PER_SECOND);
        write!(f, "{sign}{whole}.{part:09}")
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_this_machine_is_at_home() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "localhost:1",
            "[::1]:8080",
            "127.8.8.8",
        ] {
            assert!(is_at_home(&headers(&[("host", host)])), "{host}");
        }
        assert!(is_at_home(&headers(&[])));
        for host in [
            "spots.example",
            "spots.example:80",
            "10.0.0.1",
            "localhost.example",
            "",
        ] {
            assert!(!is_at_home(&headers(&[("host", host)])), "{host}");
        }
        for name in FORWARDED {
            let pairs = [("host", "localhost"), (name, "10.0.0.1")];
            assert!(!is_at_home(&headers(&pairs)), "{name}");
        }
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!(
            Seconds::of_signed(-1_500_000_001).to_string(),
            "-1.500000001"
        );
        assert_eq!(Seconds::of(7).to_string(), "0.000000007");
    }
}
