#![doc = include_str!("../README.md")]
#![expect(
    unsafe_code,
    reason = "this crate is the border to C: exported names, and pointers that the header's \
              contract describes"
)]

pub mod arithmetic;
pub mod border;
pub mod clock;
pub mod id;
pub mod sync;
