//! Dimensions of units, as exponents of base quantities. In: exponents. Out: products, powers, whether two are the
//! same. Never knows a symbol.

/// The seven base quantities of the SI, and four that keep unlike things apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Dimension([i8; 11]);

const TIME: usize = 2;
const ANGLE: usize = 7;

impl Dimension {
    pub const NONE: Self = Self([0; 11]);
    pub const LENGTH: Self = Self::base(0);
    pub const MASS: Self = Self::base(1);
    pub const TIME: Self = Self::base(TIME);
    pub const CURRENT: Self = Self::base(3);
    pub const TEMPERATURE: Self = Self::base(4);
    pub const AMOUNT: Self = Self::base(5);
    pub const LUMINOUS: Self = Self::base(6);
    pub const ANGLE: Self = Self::base(ANGLE);
    /// Decibels.
    pub const LEVEL: Self = Self::base(8);
    /// pH.
    pub const ACIDITY: Self = Self::base(9);
    /// Bits and bytes.
    pub const INFORMATION: Self = Self::base(10);

    const fn base(index: usize) -> Self {
        let mut exponents = [0; 11];
        exponents[index] = 1;
        Self(exponents)
    }

    /// Mechanical and electrical quantities by their exponents of length, mass, time and current.
    pub const fn of(length: i8, mass: i8, time: i8, current: i8) -> Self {
        Self([length, mass, time, current, 0, 0, 0, 0, 0, 0, 0])
    }

    pub const fn with_length(mut self, exponent: i8) -> Self {
        self.0[0] = exponent;
        self
    }

    pub const fn with_angle(mut self, exponent: i8) -> Self {
        self.0[ANGLE] = exponent;
        self
    }

    /// `self · other^power`; none if an exponent leaves its range.
    pub fn times(self, other: Self, power: i32) -> Option<Self> {
        let mut product = [0; 11];
        for (slot, (&a, &b)) in product.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *slot = i8::try_from(i32::from(a) + i32::from(b).checked_mul(power)?).ok()?;
        }
        Some(Self(product))
    }

    /// The power of 2π rad per cycle that leads from `self` to `other`: 0 if they are the same, 1 or −1 between
    /// frequency and angular speed (or their rates of change), none if they do not fit.
    pub fn turns_to(&self, other: &Self) -> Option<i32> {
        if self == other {
            return Some(0);
        }
        let (mut a, mut b) = (self.0, other.0);
        (a[ANGLE], b[ANGLE]) = (0, 0);
        let turns = i32::from(other.0[ANGLE]) - i32::from(self.0[ANGLE]);
        let per_time = |time: i8| Dimension::NONE.times(Dimension::TIME, time.into()) == Some(Self(a));
        (a == b && turns.abs() == 1 && (per_time(-1) || per_time(-2))).then_some(turns)
    }
}
