//! Layered drawing after Sugiyama, Tagawa and Toda (IEEE SMC 1981), from left to right.
//!
//! Cycles are broken by a depth-first search, layers follow the longest path, long edges bend at
//! invisible points, crossings are reduced by medians, and heights are the least-squares positions
//! that keep the order of each layer (isotonic regression by pooling adjacent violators).

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;

/// Above this many bends a drawing is unreadable anyway, and long edges are drawn straight.
const BENDS_MAX: usize = 6_000;
const SWEEPS: usize = 16;
const ROW_GAP: f64 = 16.0;
const BEND_HEIGHT: f64 = 6.0;
const LONE_COLUMNS_WIDTH: f64 = 900.0;

/// A box on the canvas, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Frame {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// One arrow: every edge between the same two nodes, in the direction of its first.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where it passes, from source to target.
    pub(super) points: Vec<(f64, f64)>,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) frames: Vec<Frame>,
    pub(super) routes: Vec<Route>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Places nodes of the given sizes (width, height).
pub(super) fn place(graph: &Graph, sizes: &[(f64, f64)]) -> Layout {
    let pairs = pairs(graph);
    let count = graph.nodes().len();
    let mut linked = vec![false; count];
    for (from, to) in &pairs {
        linked[*from] = true;
        linked[*to] = true;
    }
    let forward = without_cycles(count, &pairs);
    let layers = layers(count, &forward);
    let mut net = Net::build(&layers, &linked, &forward, sizes);
    net.reduce_crossings();
    net.settle();
    net.draw(&pairs, &linked, sizes)
}

fn pairs(graph: &Graph) -> Vec<(usize, usize)> {
    let index: BTreeMap<&str, usize> = graph
        .nodes()
        .iter()
        .enumerate()
        .map(|(number, node)| (node.id.as_str(), number))
        .collect();
    graph
        .edges()
        .iter()
        .filter_map(|edge| {
            Some((
                *index.get(edge.from.as_str())?,
                *index.get(edge.to.as_str())?,
            ))
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The pairs with those reversed that close a cycle, without loops and repeats.
fn without_cycles(count: usize, pairs: &[(usize, usize)]) -> BTreeSet<(usize, usize)> {
    let mut next = vec![Vec::new(); count];
    let mut incoming = vec![0_usize; count];
    for (from, to) in pairs.iter().filter(|(from, to)| from != to) {
        next[*from].push(*to);
        incoming[*to] += 1;
    }
    let mut roots: Vec<usize> = (0..count).collect();
    roots.sort_by_key(|node| (incoming[*node] > 0, incoming[*node], *node));
    let mut seen = vec![false; count];
    let mut open = vec![false; count];
    let mut forward = BTreeSet::new();
    for root in roots {
        if seen[root] {
            continue;
        }
        seen[root] = true;
        open[root] = true;
        let mut stack = vec![(root, 0)];
        while let Some((node, at)) = stack.last_mut() {
            let node = *node;
            let Some(to) = next[node].get(*at).copied() else {
                open[node] = false;
                stack.pop();
                continue;
            };
            *at += 1;
            forward.insert(if open[to] { (to, node) } else { (node, to) });
            if !seen[to] {
                seen[to] = true;
                open[to] = true;
                stack.push((to, 0));
            }
        }
    }
    forward
}

/// The longest path from a source; then nodes with more ways out than in move towards their users.
fn layers(count: usize, forward: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut next = vec![Vec::new(); count];
    let mut waiting = vec![0_usize; count];
    for (from, to) in forward {
        next[*from].push(*to);
        waiting[*to] += 1;
    }
    let incoming = waiting.clone();
    let mut ready: Vec<usize> = (0..count).filter(|node| waiting[*node] == 0).collect();
    let mut order = Vec::with_capacity(count);
    let mut layer = vec![0; count];
    while let Some(node) = ready.pop() {
        order.push(node);
        for to in &next[node] {
            layer[*to] = layer[*to].max(layer[node] + 1);
            waiting[*to] -= 1;
            if waiting[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    for node in order.into_iter().rev() {
        let nearest = next[node].iter().map(|to| layer[*to]).min();
        if let Some(nearest) = nearest.filter(|_| next[node].len() > incoming[node]) {
            layer[node] = nearest - 1;
        }
    }
    layer
}

/// A node or a bend of a long edge.
struct Point {
    layer: usize,
    height: f64,
    /// How strongly it holds to where its neighbours want it: bends more, so that lines run straight.
    weight: f64,
    before: Vec<usize>,
    after: Vec<usize>,
    middle: f64,
}

struct Net {
    points: Vec<Point>,
    /// Points by layer, from top to bottom.
    rows: Vec<Vec<usize>>,
    /// Bends of each pair of `forward`.
    bends: BTreeMap<(usize, usize), Vec<usize>>,
}

impl Net {
    fn build(
        layers: &[usize],
        linked: &[bool],
        forward: &BTreeSet<(usize, usize)>,
        sizes: &[(f64, f64)],
    ) -> Self {
        let depth = layers.iter().max().map_or(0, |deepest| deepest + 1);
        let mut net = Self {
            points: Vec::new(),
            rows: vec![Vec::new(); depth],
            bends: BTreeMap::new(),
        };
        for (node, layer) in layers.iter().enumerate() {
            let point = net.add(*layer, sizes[node].1, 1.0);
            if linked[node] {
                net.rows[*layer].push(point);
            }
        }
        let bends: usize = forward
            .iter()
            .map(|(from, to)| layers[*to] - layers[*from] - 1)
            .sum();
        for (from, to) in forward {
            let mut last = *from;
            let mut path = Vec::new();
            if bends <= BENDS_MAX {
                for layer in layers[*from] + 1..layers[*to] {
                    let bend = net.add(layer, BEND_HEIGHT, 4.0);
                    net.rows[layer].push(bend);
                    net.link(last, bend);
                    path.push(bend);
                    last = bend;
                }
            }
            net.link(last, *to);
            net.bends.insert((*from, *to), path);
        }
        net
    }

    fn add(&mut self, layer: usize, height: f64, weight: f64) -> usize {
        self.points.push(Point {
            layer,
            height,
            weight,
            before: Vec::new(),
            after: Vec::new(),
            middle: 0.0,
        });
        self.points.len() - 1
    }

    fn link(&mut self, from: usize, to: usize) {
        self.points[from].after.push(to);
        self.points[to].before.push(from);
    }

    fn reduce_crossings(&mut self) {
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let ranks = self.rows.len();
            for step in 0..ranks {
                self.sort_row(if down { step } else { ranks - 1 - step }, down);
            }
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
            }
        }
        self.rows = best;
    }

    /// Sorts one layer by the mean position of each point's neighbours on one side.
    fn sort_row(&mut self, row: usize, down: bool) {
        let position = self.positions();
        let mut keyed: Vec<(f64, usize, usize)> = Vec::new();
        for (at, point) in self.rows[row].iter().enumerate() {
            let neighbours = if down {
                &self.points[*point].before
            } else {
                &self.points[*point].after
            };
            let places = neighbours.iter().map(|near| position[*near]);
            let key = mean(places).unwrap_or(position[*point]);
            keyed.push((key, at, *point));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.rows[row] = keyed.into_iter().map(|(_, _, point)| point).collect();
    }

    /// Each point's place in its layer, from 0 to 1, so that layers of different length compare.
    fn positions(&self) -> Vec<f64> {
        let mut position = vec![0.0; self.points.len()];
        for row in &self.rows {
            for (at, point) in row.iter().enumerate() {
                position[*point] = (float(at) + 0.5) / float(row.len());
            }
        }
        position
    }

    fn crossings(&self) -> usize {
        let mut at = vec![0; self.points.len()];
        for row in &self.rows {
            for (place, point) in row.iter().enumerate() {
                at[*point] = place;
            }
        }
        let mut crossings = 0;
        for row in &self.rows {
            let mut targets: Vec<usize> = Vec::new();
            for point in row {
                let mut ends: Vec<usize> =
                    self.points[*point].after.iter().map(|to| at[*to]).collect();
                ends.sort_unstable();
                for end in &ends {
                    let above = targets.partition_point(|target| target <= end);
                    crossings += targets.len() - above;
                }
                targets.extend(ends);
                targets.sort_unstable();
            }
        }
        crossings
    }

    fn settle(&mut self) {
        for row in 0..self.rows.len() {
            let mut y = 0.0;
            for point in self.rows[row].clone() {
                let height = self.points[point].height;
                self.points[point].middle = y + height / 2.0;
                y += height + ROW_GAP;
            }
        }
        for sweep in 0..2 * SWEEPS {
            for step in 0..self.rows.len() {
                let row = if sweep % 2 == 0 {
                    step
                } else {
                    self.rows.len() - 1 - step
                };
                self.settle_row(row);
            }
        }
    }

    fn settle_row(&mut self, row: usize) {
        let mut pools: Vec<Pool> = Vec::new();
        let mut offset = 0.0;
        let mut offsets = Vec::new();
        let mut last_height = None;
        for point in &self.rows[row] {
            let point = &self.points[*point];
            if let Some(last) = last_height {
                offset += f64::midpoint(last, point.height) + ROW_GAP;
            }
            last_height = Some(point.height);
            offsets.push(offset);
            let near = point.before.iter().chain(&point.after);
            let wish = mean(near.map(|near| self.points[*near].middle)).unwrap_or(point.middle);
            pools.push(Pool {
                mean: wish - offset,
                weight: point.weight,
                members: 1,
            });
            merge_violators(&mut pools);
        }
        let wishes = pools
            .iter()
            .flat_map(|pool| std::iter::repeat_n(pool.mean, pool.members));
        let middles: Vec<f64> = wishes
            .zip(offsets)
            .map(|(wish, offset)| wish + offset)
            .collect();
        for (point, middle) in self.rows[row].iter().zip(middles) {
            self.points[*point].middle = middle;
        }
    }

    fn draw(&self, pairs: &[(usize, usize)], linked: &[bool], sizes: &[(f64, f64)]) -> Layout {
        let top = self.rows.iter().flatten().map(|point| self.top(*point));
        let top = top.fold(f64::INFINITY, f64::min);
        let columns = self.columns(linked, sizes);
        let right = columns.last().map_or(0.0, |(left, width)| left + width);
        let mut layout = Layout {
            frames: vec![Frame::default(); sizes.len()],
            routes: Vec::new(),
            width: right,
            height: 0.0,
        };
        for (node, (width, height)) in sizes.iter().enumerate().filter(|(node, _)| linked[*node]) {
            let (left, column) = columns[self.points[node].layer];
            layout.frames[node] = Frame {
                x: left + (column - width) / 2.0,
                y: self.top(node) - top,
                width: *width,
                height: *height,
            };
            layout.height = layout.height.max(self.top(node) - top + height);
        }
        for (from, to) in pairs {
            layout
                .routes
                .push(self.route((*from, *to), &layout.frames, &columns, top));
        }
        let lowest = layout.routes.iter().flat_map(|route| &route.points);
        layout.height = lowest
            .map(|(_, y)| y + BEND_HEIGHT)
            .fold(layout.height, f64::max);
        place_lone(&mut layout, linked, sizes);
        layout
    }

    fn top(&self, point: usize) -> f64 {
        self.points[point].middle - self.points[point].height / 2.0
    }

    /// Left edge and width of each layer.
    fn columns(&self, linked: &[bool], sizes: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut widths = vec![0.0_f64; self.rows.len()];
        for (node, (width, _)) in sizes.iter().enumerate().filter(|(node, _)| linked[*node]) {
            let layer = self.points[node].layer;
            widths[layer] = widths[layer].max(*width);
        }
        let mut x = 0.0;
        let mut columns = Vec::new();
        for (row, width) in self.rows.iter().zip(widths) {
            columns.push((x, width));
            let ways: usize = row
                .iter()
                .map(|point| self.points[*point].after.len())
                .sum();
            x += width + 56.0 + (float(ways) * 1.5).min(90.0);
        }
        columns
    }

    fn route(
        &self,
        (from, to): (usize, usize),
        frames: &[Frame],
        columns: &[(f64, f64)],
        top: f64,
    ) -> Route {
        let backward = from == to || !self.bends.contains_key(&(from, to));
        let (first, last) = if backward { (to, from) } else { (from, to) };
        let middle = |node: usize| frames[node].y + frames[node].height / 2.0;
        let mut points = vec![(frames[first].x + frames[first].width, middle(first))];
        for bend in self.bends.get(&(first, last)).into_iter().flatten() {
            let layer = self.points[*bend].layer;
            let y = self.points[*bend].middle - top;
            let (left, width) = columns[layer];
            points.push((left, y));
            points.push((left + width, y));
        }
        points.push((frames[last].x, middle(last)));
        if backward {
            points.reverse();
        }
        Route { from, to, points }
    }
}

struct Pool {
    mean: f64,
    weight: f64,
    members: usize,
}

fn merge_violators(pools: &mut Vec<Pool>) {
    while let [.., above, below] = pools.as_mut_slice() {
        if above.mean <= below.mean {
            return;
        }
        let weight = above.weight + below.weight;
        above.mean = above.mean.mul_add(above.weight, below.mean * below.weight) / weight;
        above.weight = weight;
        above.members += below.members;
        pools.pop();
    }
}

/// Nodes without any edge stand in rows below the rest.
fn place_lone(layout: &mut Layout, linked: &[bool], sizes: &[(f64, f64)]) {
    let limit = layout.width.max(LONE_COLUMNS_WIDTH);
    let mut y = if layout.height > 0.0 {
        layout.height + 2.0 * ROW_GAP
    } else {
        0.0
    };
    let (mut x, mut row_height) = (0.0, 0.0_f64);
    for (node, (width, height)) in sizes.iter().enumerate().filter(|(node, _)| !linked[*node]) {
        if x > 0.0 && x + width > limit {
            y += row_height + ROW_GAP;
            (x, row_height) = (0.0, 0.0);
        }
        layout.frames[node] = Frame {
            x,
            y,
            width: *width,
            height: *height,
        };
        layout.width = layout.width.max(x + width);
        layout.height = layout.height.max(y + height);
        x += width + ROW_GAP;
        row_height = row_height.max(*height);
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// Exact for every count that fits a drawing.
fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
