//! x
#[derive(Debug)]
pub struct FileStorage;
