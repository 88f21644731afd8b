//! Temperatures in one liquid network whose flows are known. In: flows, and how each passage warms what passes. Out: what
//! enters and leaves each passage. Streams that meet are mixed; nothing is stored at a node.
//!
//! What leaves depends on what enters in a straight line, so that streams are followed downwards from tanks and sources;
//! nodes that feed each other in a circle are solved together, by elimination.

use super::hydraulics::NodeEnd;
use crate::model::{Carriage, Fluid};

/// m³/s below which nothing is carried along.
const STILL: f64 = 1e-11;

/// °C of one passage.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Temperatures {
    pub entering: f64,
    pub leaving: f64,
}

/// How passages meet, and room to compute in.
#[derive(Clone, Debug)]
pub(super) struct Warmth {
    ends: Vec<(NodeEnd, NodeEnd)>,
    /// The passages that end at each node.
    at: Vec<Vec<usize>>,
    carriages: Vec<Carriage>,
    /// What leaves = share * what enters + rest.
    lines: Vec<(f64, f64)>,
    /// Of each node: the sum of flows in, of flow times rest, and how many passages still wait for a temperature.
    sums: Vec<(f64, f64, u32)>,
    ready: Vec<usize>,
    matrix: Vec<f64>,
}

impl Warmth {
    pub fn new(nodes: usize, ends: Vec<(NodeEnd, NodeEnd)>) -> Self {
        let count = ends.len();
        let mut at = vec![Vec::new(); nodes];
        for (k, (from, to)) in ends.iter().enumerate() {
            for node in from.iter().chain(to) {
                at[*node].push(k);
            }
        }
        Self {
            ends,
            at,
            carriages: vec![Carriage::Through; count],
            lines: vec![(1.0, 0.0); count],
            sums: vec![(0.0, 0.0, 0); nodes],
            ready: Vec::with_capacity(nodes),
            matrix: Vec::new(),
        }
    }

    pub fn carriages(&mut self) -> &mut [Carriage] {
        &mut self.carriages
    }

    /// `nodes` come in with the temperatures of the state before, which still ones keep; `interval` in seconds.
    pub fn solve(
        &mut self,
        fluid: &Fluid,
        flows: &[f64],
        interval: f64,
        nodes: &mut [f64],
        passages: &mut [Temperatures],
    ) {
        self.sums.fill((0.0, 0.0, 0));
        for (k, flow) in flows.iter().enumerate() {
            let (from, to) = self.along(k, *flow);
            self.lines[k] = line(self.carriages[k], fluid, *flow, interval, from.is_some());
            if let Some(to) = to
                && flow.abs() > STILL
            {
                let sum = &mut self.sums[to];
                sum.0 += flow.abs();
                match from {
                    Some(_) if self.lines[k].0 != 0.0 => sum.2 += 1,
                    _ => sum.1 += flow.abs() * self.lines[k].1,
                }
            }
        }
        self.follow(flows, nodes);
        for (k, flow) in flows.iter().enumerate() {
            let (share, rest) = self.lines[k];
            let entering = match self.along(k, *flow).0 {
                Some(node) => nodes[node],
                None => rest,
            };
            passages[k] = Temperatures { entering, leaving: share * entering + rest };
        }
    }

    /// Where the stream of a passage comes from and where it goes.
    fn along(&self, passage: usize, flow: f64) -> (NodeEnd, NodeEnd) {
        let (from, to) = self.ends[passage];
        if flow < 0.0 { (to, from) } else { (from, to) }
    }

    fn follow(&mut self, flows: &[f64], nodes: &mut [f64]) {
        self.ready.clear();
        self.ready.extend((0..nodes.len()).filter(|node| self.sums[*node].2 == 0));
        let mut next = 0;
        while let Some(node) = self.ready.get(next).copied() {
            next += 1;
            let (inflow, heat, _) = self.sums[node];
            if inflow > 0.0 {
                nodes[node] = heat / inflow;
            }
            for at in 0..self.at[node].len() {
                let k = self.at[node][at];
                let flow = flows[k];
                let (from, to) = self.along(k, flow);
                let (share, rest) = self.lines[k];
                if from == Some(node)
                    && let Some(to) = to
                    && flow.abs() > STILL
                    && share != 0.0
                {
                    let sum = &mut self.sums[to];
                    sum.1 += flow.abs() * (share * nodes[node] + rest);
                    sum.2 -= 1;
                    if sum.2 == 0 {
                        self.ready.push(to);
                    }
                }
            }
        }
        if self.ready.len() < nodes.len() {
            self.solve_circles(flows, nodes);
        }
    }

    /// inflow * T = heat + the sum of flow * (share * T of the node before + rest), for all nodes in circles at once.
    fn solve_circles(&mut self, flows: &[f64], nodes: &mut [f64]) {
        let open: Vec<usize> = (0..nodes.len()).filter(|node| self.sums[*node].2 > 0).collect();
        let (count, width) = (open.len(), open.len() + 1);
        self.matrix.clear();
        self.matrix.resize(count * width, 0.0);
        for (row, node) in open.iter().enumerate() {
            // A trace of the temperature before keeps a circle determined that nothing enters.
            let trace = 1e-9 * self.sums[*node].0;
            self.matrix[row * width + row] += self.sums[*node].0 + trace;
            self.matrix[row * width + count] += self.sums[*node].1 + trace * nodes[*node];
        }
        for (k, flow) in flows.iter().enumerate() {
            let ((from, to), (share, rest)) = (self.along(k, *flow), self.lines[k]);
            let place = |end: NodeEnd| end.and_then(|node| open.iter().position(|one| *one == node));
            if let (Some(column), Some(row)) = (place(from), place(to))
                && flow.abs() > STILL
                && share != 0.0
            {
                self.matrix[row * width + column] -= flow.abs() * share;
                self.matrix[row * width + count] += flow.abs() * rest;
            }
        }
        for pivot in 0..count {
            for row in pivot + 1..count {
                let share = self.matrix[row * width + pivot] / self.matrix[pivot * width + pivot];
                for k in pivot..width {
                    self.matrix[row * width + k] -= share * self.matrix[pivot * width + k];
                }
            }
        }
        for row in (0..count).rev() {
            let known: f64 = (row + 1..count).map(|k| self.matrix[row * width + k] * nodes[open[k]]).sum();
            nodes[open[row]] = (self.matrix[row * width + count] - known) / self.matrix[row * width + row];
        }
    }
}

/// What leaves, as a straight line over what enters. A stirred space: T' = (q (T_in - T) + heat / (rho c)) / volume,
/// solved exactly, the mean of T over the interval.
fn line(carriage: Carriage, fluid: &Fluid, flow: f64, interval: f64, from_a_node: bool) -> (f64, f64) {
    match carriage {
        Carriage::Through => (1.0, 0.0),
        Carriage::Reservoir { .. } if from_a_node => (1.0, 0.0),
        Carriage::Reservoir { temperature } => (0.0, temperature),
        Carriage::Stirred { volume, temperature, heat } => {
            let turns = flow.abs() * interval / volume;
            // The mean of e^-x over 0..turns; the series keeps its digits where little is exchanged.
            let kept = if turns < 1e-4 { 1.0 - turns / 2.0 } else { -libm::expm1(-turns) / turns };
            let warmed = heat * interval / (fluid.heat_per_volume() * volume);
            let part = if turns < 1e-4 { 0.5 - turns / 6.0 } else { (1.0 - kept) / turns };
            (1.0 - kept, kept * temperature + part * warmed)
        }
    }
}
