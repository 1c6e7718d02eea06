//! Answers that come later.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;

use super::Context;
use crate::Result;
use crate::storage::Completion;

/// What a call gave, or what it threw.
pub(super) type Answer = std::result::Result<JsValue, JsValue>;

/// The completion of a call that gave a result or a promise of one, or threw.
pub(super) fn complete<T: Send + 'static>(
    answer: Answer,
    context: Context,
    convert: impl FnOnce(JsValue) -> std::result::Result<T, String> + 'static,
) -> Completion<T> {
    let finish = move |answer: Answer| -> Result<T> {
        let value = answer.map_err(|error| context.error(&error))?;
        convert(value).map_err(|reason| context.failed(&reason))
    };
    match answer {
        Ok(value) if is_promise(&value) => {
            let (completer, completion) = Completion::pending();
            when_settled(&Promise::resolve(&value), Box::new(move |answer| completer.complete(finish(answer))));
            completion
        }
        answer => Completion::ready(finish(answer)),
    }
}

/// Whether there is something to wait for: a promise of this realm, of another one, or of somebody's own making.
fn is_promise(value: &JsValue) -> bool {
    let has_then = || Reflect::get(value, &"then".into()).is_ok_and(|then| then.is_instance_of::<Function>());
    value.is_instance_of::<Promise>() || (value.is_object() && has_then())
}

/// The two reactions to a promise, which are freed when one of them has run.
type Reactions = Rc<RefCell<Option<[Closure<dyn FnMut(JsValue)>; 2]>>>;

fn when_settled(promise: &Promise, done: Box<dyn FnOnce(Answer)>) {
    let reactions = Reactions::default();
    let done = Rc::new(RefCell::new(Some(done)));
    let reaction = |to_answer: fn(JsValue) -> Answer| {
        let (reactions, done) = (Rc::clone(&reactions), Rc::clone(&done));
        Closure::new(move |value| {
            let finished = reactions.take();
            if let Some(done) = done.take() {
                done(to_answer(value));
            }
            drop(finished);
        })
    };
    let both = [reaction(Ok), reaction(Err)];
    let _derived = promise.then2(&both[0], &both[1]);
    reactions.replace(Some(both));
}
