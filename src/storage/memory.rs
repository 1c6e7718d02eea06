//! x
#[derive(Debug)]
pub struct MemoryStorage;
