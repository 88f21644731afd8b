//! The kinds of faults of sensors, with their exact effects. In: nothing. Out: data.

use crate::fault::kind::{LARGEST, effects};

effects! {
    /// What a signal says that is not true.
    ///
    /// x is the value of a sample, in the unit of the signal, and t the time since the beginning of the bout, by receive
    /// times. Quality and source time stay. What is not a number is left alone, and so is a sample without a value, unless
    /// the effect says otherwise. No result is NaN or infinite. Random numbers follow from the seed, the fault's id and the
    /// count of the signal's samples while the fault was active.
    SensorEffect in Sensor;

    /// Shows too much or too little by the same amount.
    ///
    /// x + i `by`.
    Bias "bias" ramps {
        /// What is added
        by: f64 [Target] = 0.1, -LARGEST => LARGEST, usual -0.5 => 0.5;
    }
    /// Moves away from what is true, further and further.
    ///
    /// x + `rate` t; with a ramp the rate grows: x + `rate` times the integral of i. Each bout begins at nothing.
    Drift "drift" ramps {
        /// How fast
        rate: f64 [TargetPerSecond] = 0.001, -LARGEST => LARGEST, usual -0.01 => 0.01;
    }
    /// Shows a multiple of what is true.
    ///
    /// x (1 + i (`by` - 1)), about the zero of the signal's unit.
    Gain "gain" ramps {
        /// The factor at its full size
        by: f64 [Unit("")] = 1.2, -1e6 => 1e6, usual 0.0 => 3.0;
    }
    /// Shows one value and no other.
    ///
    /// Every sample has the value of the first one that comes in the bout; it comes as often as before, with its own times
    /// and quality. Acts on values of all types; a sample without a value is left alone, and is not the first.
    Stuck "stuck" sudden {}
    /// Is noisy.
    ///
    /// x + i `deviation` z, z normally distributed with mean 0 and deviation 1, another one for each sample.
    Noise "noise" ramps {
        /// Standard deviation
        deviation: f64 [Target] = 0.05, 0.0 => LARGEST, usual 0.0 => 0.3;
    }
    /// Shows a spike now and then.
    ///
    /// With the probability i `share` a sample is x + `height`, else it is x.
    Spike "spike" ramps {
        /// Share of the samples that are spikes
        share: f64 [Unit("")] = 0.02, 0.0 => 1.0, usual 0.0 => 0.2;
        /// How far a spike goes; below 0 for downwards
        height: f64 [Target] = 0.5, -LARGEST => LARGEST, usual -1.0 => 1.0;
    }
    /// Misses some samples.
    ///
    /// With the probability i `share` a sample does not come at all. Acts on values of all types.
    Dropout "dropout" ramps {
        /// Share of the samples that are lost
        share: f64 [Unit("")] = 0.3, 0.0 => 1.0, usual 0.0 => 1.0;
    }
    /// Shows steps.
    ///
    /// The multiple of `step` that is nearest to x; of two that are, the one away from 0.
    Quantise "quantise" sudden {
        /// From one value to the next
        step: f64 [Target] = 0.05, 0.0 => LARGEST, usual 0.0 => 0.2;
    }
    /// Comes late.
    ///
    /// A sample comes i `by` later, in the order of before: its receive time is later, its source time stays. At the end of
    /// a bout all that was held back comes at once. Acts on values of all types.
    ///
    /// In a simulated plant the instrument shows its readings later, also between two of them. The message that carries one
    /// says when it was sent: the device that sends it takes what the instrument shows for new.
    Delay "delay" ramps {
        /// How much later
        by: f64 [Unit("s")] = 5.0, 0.0 => 1e6, usual 0.0 => 60.0;
    }
}
