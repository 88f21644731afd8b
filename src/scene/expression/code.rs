//! Writes rhai, token by token. In: words in their order. Out: the same expression with `a ** b` written as `pow(a, b)`.
//! Never judges whether the words make sense: rhai does.
//!
//! Powers are rewritten since rhai's own operator calls the machine's math library, which differs in the last bits
//! from system to system, already when rhai folds constants. As in rhai, `**` binds to the right, stronger than `*` and
//! weaker than a sign: `-a ** b ** c` is `pow(-a, pow(b, c))`.

use std::fmt::Write;

/// What one pair of brackets holds, or the condition between `if` and `{`.
#[derive(Debug, Default)]
struct Level {
    /// Where the operand that is being written starts.
    operand: Option<usize>,
    /// Calls of `pow` that end with this operand.
    powers: usize,
    is_condition: bool,
}

#[derive(Debug)]
pub(super) struct Code {
    text: String,
    /// Never empty. Starts of operands only grow from the first to the last.
    levels: Vec<Level>,
}

impl Default for Code {
    fn default() -> Self {
        Self { text: String::new(), levels: vec![Level::default()] }
    }
}

/// A `**` without anything on one of its sides.
#[derive(Debug)]
pub(super) struct MissingOperand;

impl Code {
    pub fn number(&mut self, value: f64) {
        self.start();
        // Debug form keeps every bit and always has a point or an exponent: rhai reads it as a float.
        let plain = format!("{value:?}");
        let _ = match plain.split_once('e') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => {
                write!(self.text, "{mantissa}.0e{exponent} ")
            }
            _ => write!(self.text, "{plain} "),
        };
    }

    /// The name of a function; a bracket follows.
    pub fn call(&mut self, name: &str) {
        self.start();
        self.text.push_str(name);
    }

    /// A text with its quotes, `true`, `else`, a sign.
    pub fn word(&mut self, word: &str) {
        self.start();
        let _ = write!(self.text, "{word} ");
    }

    pub fn variable(&mut self, index: usize) {
        self.start();
        let _ = write!(self.text, "v{index} ");
    }

    /// An operator between two operands, or a comma.
    pub fn between(&mut self, operator: &str) -> Result<(), MissingOperand> {
        self.end()?;
        let _ = write!(self.text, "{operator} ");
        Ok(())
    }

    pub fn power(&mut self) -> Result<(), MissingOperand> {
        let level = self.levels.last_mut().ok_or(MissingOperand)?;
        let start = level.operand.take().ok_or(MissingOperand)?;
        level.powers += 1;
        self.text.insert_str(start, "pow(");
        self.text.push_str(", ");
        Ok(())
    }

    pub fn open(&mut self, bracket: &str) -> Result<(), MissingOperand> {
        if bracket == "{" && self.levels.last().is_some_and(|level| level.is_condition) {
            self.close_level()?;
        }
        self.word(bracket);
        self.levels.push(Level::default());
        Ok(())
    }

    pub fn close(&mut self, bracket: &str) -> Result<(), MissingOperand> {
        self.close_level()?;
        let _ = write!(self.text, "{bracket} ");
        Ok(())
    }

    pub fn condition(&mut self) {
        self.word("if");
        self.levels.push(Level { is_condition: true, ..Level::default() });
    }

    pub fn finish(mut self) -> Result<String, MissingOperand> {
        for _ in 0..self.levels.len() {
            self.close_level()?;
        }
        Ok(self.text)
    }

    fn start(&mut self) {
        let here = self.text.len();
        if let Some(level) = self.levels.last_mut() {
            level.operand.get_or_insert(here);
        }
    }

    /// The operand is over, and with it the powers of which it is the last.
    fn end(&mut self) -> Result<(), MissingOperand> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let operand = level.operand.take();
        let powers = std::mem::take(&mut level.powers);
        if powers > 0 && operand.is_none() {
            return Err(MissingOperand);
        }
        for _ in 0..powers {
            self.text.push_str(") ");
        }
        Ok(())
    }

    /// The outermost level stays: brackets that do not fit are left to rhai.
    fn close_level(&mut self) -> Result<(), MissingOperand> {
        self.end()?;
        if self.levels.len() > 1 {
            self.levels.pop();
        }
        Ok(())
    }
}
