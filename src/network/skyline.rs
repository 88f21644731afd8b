//! Symmetric systems of linear equations whose few entries lie near the diagonal, as those of pipe networks do.
//!
//! In: which unknowns meet, then coefficients. Out: the solution. Cholesky's method within the envelope: George and Liu,
//! "Computer Solution of Large Sparse Positive Definite Systems", 1981, ch. 4; unknowns are ordered after Cuthill and
//! McKee, backwards. Never allocates while it solves.

/// Share of a diagonal below which it is lost in rounding.
const LOST: f64 = 1e-14;

/// Coefficients and right side; made once for a network, filled anew for each solution.
#[derive(Clone, Debug)]
pub(super) struct Skyline {
    /// Where each unknown stands in the order of elimination.
    place: Vec<usize>,
    /// The first column of each row that holds anything, and where the row's entries begin in `entries`.
    first: Vec<usize>,
    begin: Vec<usize>,
    entries: Vec<f64>,
    right: Vec<f64>,
}

impl Skyline {
    /// For `count` unknowns, with the pairs that meet in an equation.
    pub fn new(count: usize, pairs: &[(usize, usize)]) -> Self {
        let place = order(count, pairs);
        let mut first: Vec<usize> = (0..count).collect();
        for (a, b) in pairs {
            let (low, high) = (place[*a].min(place[*b]), place[*a].max(place[*b]));
            first[high] = first[high].min(low);
        }
        let mut begin = Vec::with_capacity(count);
        let mut size = 0;
        for (row, first) in first.iter().enumerate() {
            begin.push(size);
            size += row - first + 1;
        }
        Self { place, first, begin, entries: vec![0.0; size], right: vec![0.0; count] }
    }

    pub fn clear(&mut self) {
        self.entries.fill(0.0);
        self.right.fill(0.0);
    }

    /// Adds to the coefficient of two unknowns, on both sides of the diagonal.
    pub fn add(&mut self, a: usize, b: usize, x: f64) {
        let (row, column) = (self.place[a].max(self.place[b]), self.place[a].min(self.place[b]));
        self.entries[self.begin[row] + column - self.first[row]] += x;
    }

    /// Adds to the right side of an unknown's equation.
    pub fn add_right(&mut self, a: usize, x: f64) {
        self.right[self.place[a]] += x;
    }

    /// Writes the solution; false where the matrix is not positive definite. An unknown that the others determine all
    /// but, so that rounding hides what is left of it, is taken as 0 with them: one of a part that nothing holds.
    pub fn solve(&mut self, solution: &mut [f64]) -> bool {
        let count = self.first.len();
        for row in 0..count {
            let (first, begin) = (self.first[row], self.begin[row]);
            for column in first..row {
                let from = first.max(self.first[column]);
                let mut sum = self.entries[begin + column - first];
                for k in from..column {
                    sum -= self.entries[begin + k - first] * self.entry(column, k);
                }
                self.entries[begin + column - first] = sum / self.entry(column, column);
            }
            let whole = self.entries[begin + row - first];
            let mut diagonal = whole;
            for k in first..row {
                let x = self.entries[begin + k - first];
                diagonal -= x * x;
                self.right[row] -= x * self.right[k];
            }
            if !(whole > 0.0 && diagonal.is_finite()) {
                return false;
            }
            // Nothing but rounding is left where an unknown hangs on others alone: it stays where it is.
            if diagonal <= LOST * whole {
                diagonal = whole;
            }
            self.entries[begin + row - first] = diagonal.sqrt();
            self.right[row] /= diagonal.sqrt();
        }
        for row in (0..count).rev() {
            let x = self.right[row] / self.entry(row, row);
            self.right[row] = x;
            for column in self.first[row]..row {
                self.right[column] -= self.entry(row, column) * x;
            }
        }
        for (unknown, place) in self.place.iter().enumerate() {
            solution[unknown] = self.right[*place];
        }
        true
    }

    fn entry(&self, row: usize, column: usize) -> f64 {
        self.entries[self.begin[row] + column - self.first[row]]
    }
}

/// Cuthill and McKee, backwards: neighbours get places near each other.
fn order(count: usize, pairs: &[(usize, usize)]) -> Vec<usize> {
    let mut neighbours = vec![Vec::new(); count];
    for (a, b) in pairs.iter().filter(|(a, b)| a != b) {
        neighbours[*a].push(*b);
        neighbours[*b].push(*a);
    }
    let degree: Vec<usize> = neighbours.iter().map(Vec::len).collect();
    for list in &mut neighbours {
        list.sort_by_key(|other| (degree[*other], *other));
        list.dedup();
    }
    let mut starts: Vec<usize> = (0..count).collect();
    starts.sort_by_key(|one| (degree[*one], *one));
    let mut line = Vec::with_capacity(count);
    let mut seen = vec![false; count];
    for start in starts {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut next = line.len();
        line.push(start);
        while let Some(at) = line.get(next).copied() {
            next += 1;
            for other in &neighbours[at] {
                if !std::mem::replace(&mut seen[*other], true) {
                    line.push(*other);
                }
            }
        }
    }
    let mut place = vec![0; count];
    for (at, unknown) in line.iter().rev().enumerate() {
        place[*unknown] = at;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_fulfils_its_equations_and_a_singular_matrix_is_refused() {
        // A ring of five with a spoke, each unknown tied to the ground a little.
        let pairs = [(0, 3), (3, 1), (1, 4), (4, 2), (2, 0), (3, 4)];
        let mut system = Skyline::new(5, &pairs);
        let mut dense = [[0.0; 5]; 5];
        let mut add = |system: &mut Skyline, a: usize, b: usize, x: f64| {
            system.add(a, b, x);
            dense[a][b] += x;
            if a != b {
                dense[b][a] += x;
            }
        };
        system.clear();
        for (k, (a, b)) in pairs.iter().enumerate() {
            let weight = 1.0 + k as f64;
            add(&mut system, *a, *a, weight);
            add(&mut system, *b, *b, weight);
            add(&mut system, *a, *b, -weight);
        }
        for one in 0..5 {
            add(&mut system, one, one, 0.1);
            system.add_right(one, one as f64 - 1.5);
        }
        let mut solution = [0.0; 5];
        assert!(system.solve(&mut solution));
        for (row, coefficients) in dense.iter().enumerate() {
            let left: f64 = coefficients.iter().zip(solution).map(|(a, x)| a * x).sum();
            assert!((left - (row as f64 - 1.5)).abs() < 1e-12, "{row}: {left}");
        }
        system.clear();
        assert!(!system.solve(&mut solution));
    }

    #[test]
    fn a_ring_that_nothing_holds_is_solved_from_one_of_its_own() {
        let pairs = [(0, 1), (1, 2), (2, 0)];
        let mut system = Skyline::new(3, &pairs);
        system.clear();
        for (a, b) in pairs {
            system.add(a, a, 0.3);
            system.add(b, b, 0.3);
            system.add(a, b, -0.3);
        }
        system.add_right(0, 1e-3);
        system.add_right(1, -1e-3);
        let mut found = [0.0; 3];
        assert!(system.solve(&mut found));
        assert!((0.3 * (2.0 * found[0] - found[1] - found[2]) - 1e-3).abs() < 1e-15, "{found:?}");
        assert!((0.3 * (2.0 * found[2] - found[1] - found[0])).abs() < 1e-15, "{found:?}");
    }

    #[test]
    fn a_chain_keeps_its_entries_beside_the_diagonal_whatever_its_numbers() {
        let pairs: Vec<(usize, usize)> = (0..99).map(|k| (k * 37 % 100, (k + 1) * 37 % 100)).collect();
        assert_eq!(Skyline::new(100, &pairs).entries.len(), 199);
    }
}
