//! Graphs of what depends on what, as SVG, DOT and Mermaid.

mod cycles;
mod dot;
#[expect(
    clippy::indexing_slicing,
    reason = "indices are made by the layout from the lengths of its own tables and never leave it"
)]
mod layout;
mod mermaid;
mod svg;

use std::collections::BTreeSet;

/// A thing in a graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Unique in its graph; edges name it.
    pub id: String,
    /// What people read.
    pub label: String,
    /// Nodes of one group share a colour, and a cluster in DOT and Mermaid.
    pub group: Option<String>,
    /// A second, smaller line.
    pub note: Option<String>,
}

impl Node {
    /// A node whose label is its id.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            label: id.clone(),
            id,
            group: None,
            note: None,
        }
    }

    /// Reads so.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Its label, and its note in a line of its own.
    fn lines(&self) -> String {
        match &self.note {
            Some(second) => format!("{}\n{second}", self.label),
            None => self.label.clone(),
        }
    }

    /// Belongs to this group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Carries a second, smaller line.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// An arrow between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Id of the node that depends.
    pub from: String,
    /// Id of the node that is depended on.
    pub to: String,
    /// Edges of one kind share a line style.
    pub kind: String,
    /// What the arrow says.
    pub label: Option<String>,
}

impl Edge {
    /// An arrow without words.
    pub fn new(from: impl Into<String>, to: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            kind: kind.into(),
            label: None,
        }
    }

    /// Says this.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

/// A directed graph in a stable order; cycles and edges to itself are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    title: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Graph {
    /// A graph; the order of nodes and edges does not matter, repeats are dropped, and a node that
    /// only an edge names is added.
    pub fn new(
        title: impl Into<String>,
        nodes: impl IntoIterator<Item = Node>,
        edges: impl IntoIterator<Item = Edge>,
    ) -> Self {
        let mut nodes: Vec<Node> = nodes.into_iter().collect();
        let edges: BTreeSet<Edge> = edges.into_iter().collect();
        let mut known: BTreeSet<String> = nodes.iter().map(|node| node.id.clone()).collect();
        for id in edges.iter().flat_map(|edge| [&edge.from, &edge.to]) {
            if known.insert(id.clone()) {
                nodes.push(Node::new(id));
            }
        }
        nodes.sort();
        nodes.dedup_by(|later, first| later.id == first.id);
        Self {
            title: title.into(),
            nodes,
            edges: edges.into_iter().collect(),
        }
    }

    /// What the graph shows.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Nodes by id.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Edges by source, target and kind.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The sets of nodes that reach each other, each named in the order of one walk around it;
    /// an edge to itself is a cycle of one.
    pub fn cycles(&self) -> Vec<Vec<String>> {
        cycles::find(self)
    }

    /// A picture with light and dark colours, without script and without outside resources.
    pub fn to_svg(&self) -> String {
        svg::render(self)
    }

    /// For Graphviz.
    pub fn to_dot(&self) -> String {
        dot::render(self)
    }

    /// For Mermaid, as GitHub and GitLab draw it in Markdown.
    pub fn to_mermaid(&self) -> String {
        mermaid::render(self)
    }

    /// Nodes by group, those without one last.
    fn clusters(&self) -> Vec<(Option<&str>, Vec<&Node>)> {
        let named = self.groups().into_iter().map(Some);
        let members = |group: Option<&str>| {
            let nodes = self.nodes.iter();
            nodes
                .filter(|node| node.group.as_deref() == group)
                .collect()
        };
        named
            .chain([None])
            .map(|group| (group, members(group)))
            .collect()
    }

    /// Edges, each with the style of its kind.
    fn styled<'s>(&self, styles: &[&'s str]) -> Vec<(&Edge, &'s str)> {
        let kinds = self.kinds();
        let style = |edge: &Edge| {
            let kind = kinds.iter().position(|kind| *kind == edge.kind);
            let style = styles.iter().cycle().nth(kind.unwrap_or(0));
            style.copied().unwrap_or_default()
        };
        self.edges.iter().map(|edge| (edge, style(edge))).collect()
    }

    fn groups(&self) -> Vec<&str> {
        distinct(self.nodes.iter().filter_map(|node| node.group.as_deref()))
    }

    fn kinds(&self) -> Vec<&str> {
        distinct(self.edges.iter().map(|edge| edge.kind.as_str()))
    }
}

fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    words.collect::<BTreeSet<_>>().into_iter().collect()
}
