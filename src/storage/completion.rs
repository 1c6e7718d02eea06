//! The answer of a storage, which may be there already or come later.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::locks::Mutex;
use crate::{Error, Result};

type Callback<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// The result of a storage operation: ready at once, or completed later through its [`Completer`].
///
/// It is `Send` on every platform, so that the engine meets no difference between them.
///
/// # Examples
///
/// ```
/// use selkie::storage::Completion;
///
/// let (completer, completion) = Completion::<u32>::pending();
/// completer.complete(Ok(7));
/// assert_eq!(completion.try_take().ok().unwrap().unwrap(), 7);
/// ```
pub struct Completion<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T>>),
    Pending(Arc<Mutex<Slot<T>>>),
}

struct Slot<T> {
    result: Option<Result<T>>,
    waker: Option<Waker>,
    callback: Option<Callback<T>>,
}

/// Completes a pending [`Completion`]. Dropping it unused completes with an error.
///
/// # Examples
///
/// ```
/// # use selkie::storage::Completion;
/// let (completer, completion) = Completion::<u32>::pending();
/// drop(completer);
/// assert!(completion.try_take().unwrap().is_err());
/// ```
pub struct Completer<T>(Option<Arc<Mutex<Slot<T>>>>);

impl<T> Completion<T> {
    /// A completion that has its result already.
    ///
    /// ```
    /// # use selkie::storage::Completion;
    /// assert_eq!(Completion::ready(Ok(7)).try_take().unwrap().unwrap(), 7);
    /// ```
    pub fn ready(result: Result<T>) -> Self {
        Self(State::Ready(Some(result)))
    }

    /// A completion that its completer will answer.
    ///
    /// ```
    /// # use selkie::storage::Completion;
    /// let (completer, completion) = Completion::<u32>::pending();
    /// let completion = completion.try_take().unwrap_err();
    /// completer.complete(Ok(7));
    /// assert_eq!(completion.try_take().unwrap().unwrap(), 7);
    /// ```
    pub fn pending() -> (Completer<T>, Self) {
        let slot = Arc::new(Mutex::new(Slot { result: None, waker: None, callback: None }));
        (Completer(Some(Arc::clone(&slot))), Self(State::Pending(slot)))
    }

    /// The result, when it is there; the completion itself when not.
    ///
    /// ```
    /// # use selkie::storage::Completion;
    /// let completion = Completion::ready(Ok("done"));
    /// assert!(matches!(completion.try_take(), Ok(Ok("done"))));
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the completion back while the storage has not answered.
    pub fn try_take(self) -> std::result::Result<Result<T>, Self> {
        match self.0 {
            State::Ready(Some(result)) => Ok(result),
            State::Ready(None) => Ok(Err(abandoned())),
            State::Pending(slot) => {
                let taken = slot.lock().result.take();
                taken.ok_or(Self(State::Pending(slot)))
            }
        }
    }

    /// Calls `callback` with the result, now or when the storage answers.
    ///
    /// ```
    /// # use selkie::storage::Completion;
    /// Completion::ready(Ok(7)).then(|result| assert_eq!(result.unwrap(), 7));
    /// ```
    pub fn then(self, callback: impl FnOnce(Result<T>) + Send + 'static) {
        match self.0 {
            State::Ready(result) => callback(result.unwrap_or_else(|| Err(abandoned()))),
            State::Pending(slot) => {
                let mut locked = slot.lock();
                match locked.result.take() {
                    Some(result) => {
                        drop(locked);
                        callback(result);
                    }
                    None => locked.callback = Some(Box::new(callback)),
                }
            }
        }
    }
}

impl<T> Completer<T> {
    /// Answers the completion.
    ///
    /// ```
    /// # use selkie::storage::Completion;
    /// let (completer, completion) = Completion::pending();
    /// completer.complete(Ok(()));
    /// assert!(matches!(completion.try_take(), Ok(Ok(()))));
    /// ```
    pub fn complete(mut self, result: Result<T>) {
        self.answer(result);
    }

    fn answer(&mut self, result: Result<T>) {
        let Some(slot) = self.0.take() else { return };
        let mut locked = slot.lock();
        if let Some(callback) = locked.callback.take() {
            drop(locked);
            callback(result);
            return;
        }
        locked.result = Some(result);
        let waker = locked.waker.take();
        drop(locked);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        self.answer(Err(abandoned()));
    }
}

impl<T> Unpin for Completion<T> {}

impl<T> Future for Completion<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(result) => Poll::Ready(result.take().unwrap_or_else(|| Err(abandoned()))),
            State::Pending(slot) => {
                let mut locked = slot.lock();
                if let Some(result) = locked.result.take() {
                    return Poll::Ready(result);
                }
                locked.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for Completion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Completion(ready)",
            State::Pending(_) => "Completion(pending)",
        })
    }
}

impl<T> fmt::Debug for Completer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completer")
    }
}

fn abandoned() -> Error {
    Error::io("complete", "storage operation", std::io::Error::other("the storage gave up without an answer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn dropped_completer_is_an_error() {
        let (completer, completion) = Completion::<()>::pending();
        drop(completer);
        assert!(matches!(completion.try_take().unwrap().unwrap_err().kind(), ErrorKind::Io { .. }));
    }

    #[test]
    fn callback_runs_once_the_answer_is_there() {
        let (completer, completion) = Completion::pending();
        let seen = Arc::new(Mutex::new(None));
        let inner = Arc::clone(&seen);
        completion.then(move |result| *inner.lock() = result.ok());
        assert_eq!(*seen.lock(), None);
        completer.complete(Ok(3));
        assert_eq!(*seen.lock(), Some(3));
    }
}
