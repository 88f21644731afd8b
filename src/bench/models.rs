//! Simulated seconds per second: a scene's machines, their plant with all it says, 1 to 1,000 copies of them; and one loop of
//! liquid beside the same equations under SciPy's solver, in the same run.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::grouped;
use crate::model::{self, Fluid, GRAVITY};
use crate::network::{Blueprint, Feed, Machine, Network, Tie, TieKind};
use crate::plant::{Options, Plant};
use crate::scene::{self, Scene};
use crate::value::Timestamp;

const SECOND: u64 = 1_000_000_000;
/// The loop is compared after this time.
const COMPARED_SECS: u64 = 600;

/// What came out, as text. `secs` is about how long each measurement takes.
pub fn run(path: &Path, secs: Duration) -> Result<String, String> {
    let loaded = scene::load(path);
    let Some(scene) = loaded.scene else { return Err(format!("{}\n{}", path.display(), loaded.render(false))) };
    let scene = Arc::new(scene);
    let mut text = String::new();
    let _ = writeln!(text, "models: simulated seconds per second, one thread\n");
    hall(&scene, secs, &mut text)?;
    copies(&scene, secs, &mut text)?;
    peer(&mut text);
    Ok(text)
}

/// Runs something in growing stretches of simulated time until about `secs` have passed; simulated seconds per second.
fn speed(secs: Duration, mut advance_to: impl FnMut(u64)) -> f64 {
    let (mut until, mut step) = (0, SECOND);
    let begin = Instant::now();
    loop {
        until += step;
        advance_to(until);
        let passed = begin.elapsed();
        if passed >= secs {
            return until as f64 / 1e9 / passed.as_secs_f64();
        }
        if passed < secs / 8 {
            step *= 2;
        }
    }
}

pub(super) fn network(blueprint: &Blueprint) -> Result<Network, String> {
    Network::build(blueprint.clone())
        .map_err(|problems| problems.first().map(|problem| problem.describe(blueprint)).unwrap_or_default())
}

fn of_network(network: &Network, secs: Duration) -> f64 {
    let mut work = network.workspace();
    let mut now = network.start(1, &[], &mut work);
    speed(secs, |until| network.advance(&mut now, until, &mut work))
}

fn hall(scene: &Arc<Scene>, secs: Duration, text: &mut String) -> Result<(), String> {
    let blueprint = scene.blueprint.as_ref().ok_or_else(|| format!("{} has no models", scene.name))?;
    let bare = of_network(&network(blueprint)?, secs);
    let mut plant = Plant::new(scene.clone(), Options::default()).map_err(|error| error.to_string())?;
    let (mut messages, mut bytes) = (0_u64, 0_u64);
    let spoken = speed(secs, |until| {
        plant.run(until, Timestamp(0), &mut |message| {
            messages += 1;
            bytes += message.payload.len() as u64;
        });
    });
    let count = blueprint.machines.len();
    let _ = writeln!(text, "{} ({count} machines)", scene.name);
    let _ = writeln!(text, "  the network alone            {:>9}", grouped(bare));
    let simulated = plant.time() as f64 / 1e9;
    let _ = writeln!(
        text,
        "  the plant with all it says   {:>9}  {:.0} % of that, {:.0} messages and {:.0} kB a simulated second",
        grouped(spoken),
        100.0 * spoken / bare,
        messages as f64 / simulated,
        bytes as f64 / simulated / 1e3
    );
    Ok(())
}

/// The same machines so many times, each time apart from the others.
fn times(blueprint: &Blueprint, count: usize) -> Blueprint {
    let mut all = Blueprint::default();
    for copy in 0..count {
        let first = all.machines.len();
        for machine in &blueprint.machines {
            let mut machine = Machine { id: format!("{copy}/{}", machine.id), ..machine.clone() };
            for feed in &mut machine.inputs {
                match feed {
                    Feed::Output { machine, .. } => *machine += first,
                    Feed::Formula { of, .. } => of.iter_mut().for_each(|(machine, _)| *machine += first),
                    Feed::Default | Feed::Constant(_) | Feed::Outside(_) => {}
                }
            }
            all.machines.push(machine);
        }
        all.ties.extend(blueprint.ties.iter().map(|tie| Tie {
            from: (tie.from.0 + first, tie.from.1.clone()),
            to: (tie.to.0 + first, tie.to.1.clone()),
            kind: tie.kind.clone(),
        }));
    }
    all
}

fn copies(scene: &Arc<Scene>, secs: Duration, text: &mut String) -> Result<(), String> {
    let Some(blueprint) = &scene.blueprint else { return Ok(()) };
    let _ = writeln!(text, "\ncopies   machines   simulated s/s   times the copies");
    let mut one = None;
    for count in [1, 10, 100, 1000] {
        let many = times(blueprint, count);
        let found = of_network(&network(&many)?, secs);
        let first = *one.get_or_insert(found);
        let together = found * count as f64;
        let machines = many.machines.len();
        let _ = writeln!(
            text,
            "{count:>6} {machines:>10} {:>15} {:>18}  {:.2} of one",
            grouped(found),
            grouped(together),
            together / first
        );
    }
    Ok(())
}

/// Two tanks at two heights, a pump up and a valve down.
fn rig() -> Option<Blueprint> {
    let machine = |id: &str, name: &str| model::model(name).map(|model| Machine::new(id, model));
    let tank = |id, elevation| {
        Some(
            machine(id, "Tank")?
                .with("area", 2.0)
                .with("height", 4.0)
                .with("inlet_height", 0.0)
                .with("elevation", elevation)
                .with("start_level", 2.0),
        )
    };
    let machines = vec![
        tank("LOW", 0.0)?,
        machine("P", "CentrifugalPump")?.with("rated_flow", 0.004),
        tank("HIGH", 20.0)?,
        machine("V", "ControlValve")?.with("kv", 12.0).with("start", 0.8).fed("command", Feed::Constant(0.8)),
    ];
    let tie = |from: (usize, &str), to: (usize, &str)| Tie {
        from: (from.0, from.1.to_owned()),
        to: (to.0, to.1.to_owned()),
        kind: TieKind::Fluid(Fluid::WATER),
    };
    let ties = vec![
        tie((0, "outlet"), (1, "inlet")),
        tie((1, "outlet"), (2, "inlet")),
        tie((2, "outlet"), (3, "inlet")),
        tie((3, "outlet"), (0, "inlet")),
    ];
    Some(Blueprint { machines, ties, outside: Vec::new() })
}

/// The same equations in Python: flows from their closed form, levels from SciPy's solver with steps of 0.1 s at most.
const SCRIPT: &str = r#"
import sys, time
import numpy as np
from scipy.integrate import solve_ivp
rho, g, until = (float(x) for x in sys.argv[1:4])
kv = 12.0 * 50.0 ** (0.8 - 1.0)
down = 1e5 * rho / 999.0 * (3600.0 / kv) ** 2
a = (40.0 - 32.0) / 0.004 ** 2
def flows(low, high):
    up = max(40.0 + low - 20.0 - high, 0.0)
    fall = max(20.0 + high - low, 0.0)
    return np.sqrt(up / a), np.sqrt(rho * g * fall / down)
def levels(_, y):
    up, fall = flows(*y)
    return [(fall - up) / 2.0, (up - fall) / 2.0]
begin = time.perf_counter()
found = solve_ivp(levels, (0.0, until), [2.0, 2.0], method="RK23", max_step=0.1)
fixed = time.perf_counter() - begin
begin = time.perf_counter()
free = solve_ivp(levels, (0.0, until), [2.0, 2.0], method="LSODA", rtol=1e-8)
print(until / fixed, until / (time.perf_counter() - begin), found.y[0, -1], free.y[0, -1])
"#;

fn peer(text: &mut String) {
    let Some(network) = rig().and_then(|blueprint| network(&blueprint).ok()) else { return };
    let mut work = network.workspace();
    let mut now = network.start(1, &[], &mut work);
    let until = COMPARED_SECS * SECOND;
    let begin = Instant::now();
    network.advance(&mut now, until, &mut work);
    let ours = COMPARED_SECS as f64 / begin.elapsed().as_secs_f64();
    let level = now.output(&network, 0, 0);
    let _ = writeln!(text, "\ntwo tanks, a pump and a valve, steps of 0.1 s, {COMPARED_SECS} s");
    let arguments = [Fluid::WATER.density, GRAVITY, COMPARED_SECS as f64].map(|x| x.to_string());
    let output = Command::new("python3").arg("-c").arg(SCRIPT).args(arguments).output();
    let told = output.ok().filter(|output| output.status.success());
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let numbers: Vec<f64> =
        told.iter().flat_map(|told| told.split_whitespace()).filter_map(|word| word.parse().ok()).collect();
    let _ = writeln!(text, "  pollux, flows and heat solved in each step   {:>12}", grouped(ours));
    let [fixed, free, theirs, exact] = numbers[..] else {
        let _ = writeln!(text, "  SciPy: skipped, as python3 with scipy is not installed");
        return;
    };
    let _ = writeln!(
        text,
        "  SciPy RK23, steps of 0.1 s at most           {:>12}  pollux is {:.1} times as fast",
        grouped(fixed),
        ours / fixed
    );
    let _ = writeln!(
        text,
        "  SciPy LSODA, steps as it likes               {:>12}  {:.1} times",
        grouped(free),
        ours / free
    );
    let _ = writeln!(
        text,
        "  level in the end: pollux {level:.5} m, SciPy {theirs:.5} m; exact {exact:.5} m ({:.4} % apart)",
        100.0 * (level / exact - 1.0).abs()
    );
}
