//! Graphs: stable, complete, escaped, quick.

use spots_findings::graph::{Edge, Graph, Node};

fn sample() -> Graph {
    let nodes = [
        Node::new("PaymentService").group("core").note("2.1.0"),
        Node::new("BusinessService").group("core"),
        Node::new("ReservationService").group("phase 9"),
        Node::new("Lonely").group("phase 9"),
    ];
    let edges = [
        Edge::new("ReservationService", "PaymentService", "field"),
        Edge::new("ReservationService", "BusinessService", "constructor"),
        Edge::new("BusinessService", "PaymentService", "locator").label("GetIt"),
        Edge::new("PaymentService", "AtomicClock", "field"),
        Edge::new("BusinessService", "ReservationService", "locator"),
    ];
    Graph::new("Services", nodes, edges)
}

#[test]
fn order_of_building_does_not_matter() {
    let first = sample();
    let again = Graph::new(
        "Services",
        first.nodes().iter().rev().cloned(),
        first.edges().iter().rev().cloned(),
    );
    assert_eq!(first.to_svg(), again.to_svg());
    assert_eq!(first.to_dot(), again.to_dot());
    assert_eq!(first.to_mermaid(), again.to_mermaid());
}

#[test]
fn cycles_are_walked_and_marked() {
    let graph = sample();
    assert_eq!(
        graph.cycles(),
        [[
            "BusinessService".to_owned(),
            "ReservationService".to_owned()
        ]]
    );
    assert_eq!(graph.to_svg().matches("class=\"edge k0 cycle\"").count(), 1);
    assert_eq!(graph.to_svg().matches(" cycle\"><title>").count(), 2);
}

#[test]
fn a_node_that_reaches_itself_is_a_cycle_of_one() {
    let graph = Graph::new(
        "g",
        [],
        [Edge::new("a", "a", "k"), Edge::new("a", "b", "k")],
    );
    assert_eq!(graph.cycles(), [["a".to_owned()]]);
    assert!(graph.to_svg().contains("<title>a → a"));
}

#[test]
fn every_node_and_pair_is_drawn() {
    let graph = sample();
    let svg = graph.to_svg();
    for node in graph.nodes() {
        assert!(
            svg.contains(&format!(">{}</text>", node.label)),
            "{}",
            node.label
        );
    }
    for edge in graph.edges() {
        assert!(svg.contains(&format!("<title>{} → {}", edge.from, edge.to)));
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn names_cannot_break_out() {
    let evil = "</text><script>alert(1)</script>\"; end";
    let graph = Graph::new(
        evil,
        [Node::new(evil).group(evil).note(evil)],
        [Edge::new(evil, "b", evil).label(evil)],
    );
    assert!(!graph.to_svg().contains("<script"));
    assert!(graph.to_dot().contains("script>\\\"; end"));
    assert!(!graph.to_mermaid().contains("<script"));
}

#[test]
fn an_empty_graph_is_a_picture_too() {
    let svg = Graph::new("Nothing", [], []).to_svg();
    assert!(svg.starts_with("<svg") && svg.contains("0 nodes") && !svg.contains("inf"));
}

#[test]
fn nodes_of_a_drawing_do_not_overlap() {
    let edges = (0..60_u32).flat_map(|from| {
        [from * 7 % 60, from * 13 % 60]
            .map(|to| Edge::new(format!("n{from}"), format!("n{to}"), "k"))
    });
    let svg = Graph::new("Many", [], edges).to_svg();
    let number = |text: &str, name: &str| -> f64 {
        let after = text
            .split(&format!(" {name}=\""))
            .nth(1)
            .expect("the attribute");
        after
            .split('"')
            .next()
            .expect("its end")
            .parse()
            .expect("a number")
    };
    let frames: Vec<[f64; 4]> = svg
        .split("<rect x=")
        .skip(1)
        .map(|text| format!(" x={text}"))
        .map(|text| ["x", "y", "width", "height"].map(|name| number(&text, name)))
        .collect();
    assert_eq!(frames.len(), 60);
    for (at, a) in frames.iter().enumerate() {
        for b in &frames[at + 1..] {
            let apart = a[0] + a[2] <= b[0] + 0.2
                || b[0] + b[2] <= a[0] + 0.2
                || a[1] + a[3] <= b[1] + 0.2
                || b[1] + b[3] <= a[1] + 0.2;
            assert!(apart, "{a:?} overlaps {b:?}");
        }
    }
}
