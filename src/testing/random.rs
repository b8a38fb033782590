//! Pseudo-random numbers for tests, these and the integration tests: the same ones from the same seed, so that a failure repeats.

/// A small generator (xorshift), with its state, which is not 0.
pub(crate) struct Random(pub u64);

impl Random {
    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
