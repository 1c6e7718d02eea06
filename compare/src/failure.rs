//! Why there is no number.

use std::error::Error;
use std::fmt::{Display, Formatter};

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Either an engine cannot do a thing at all, which is no fault, or something went wrong.
///
/// It is no `std::error::Error` itself, so that `?` turns the errors of all engines into it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine has no such operation; the reason is shown in the notes.
    Unsupported(&'static str),
    /// A result was not what every engine must give: no number may come of it.
    Wrong(String),
    /// The engine or the system failed.
    Failed(Box<dyn Error + Send + Sync>),
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsupported(reason) => formatter.write_str(reason),
            Self::Wrong(difference) => write!(formatter, "wrong result: {difference}"),
            Self::Failed(error) => write!(formatter, "failed: {error}"),
        }
    }
}

/// A check that costs nothing inside the timed part: it is made of sums that the work has to build anyway.
pub(crate) fn ensure_equal<T: Copy + PartialEq + Display>(what: &str, expected: T, found: T) -> Result {
    if expected == found {
        return Ok(());
    }
    Err(Failure::Wrong(format!("{what}: expected {expected}, found {found}")))
}
