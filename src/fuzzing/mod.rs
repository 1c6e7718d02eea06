//! What the fuzz targets in `fuzz` call: the decoders of everything that lies in files, with arbitrary input.
//!
//! This is no part of the API. Each function panics where the engine is wrong, and returns how many bytes its input stands
//! for: its length, and what its compressed sections claim to hold. Memory may be in proportion to that.
//!
//! Random bytes end at the first checksum. So the first byte of an input says what is mended before it is decoded: the
//! checksums, the lengths, and whatever else would be found at once.

mod codec;
mod database;
mod log;
mod mend;
mod snapshot;

pub use codec::codec;
pub use database::database;
pub use log::log;
pub use snapshot::snapshot;
