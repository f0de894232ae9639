//! Tests of the atomic clock through its public interface.

mod clock;
mod window;
