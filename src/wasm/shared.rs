//! What the exports of one database share.

use std::cell::RefCell;
use std::sync::Arc;

use crate::database::Database;
use crate::handle::Handle;
use crate::keyspace::Keyspace;
use crate::options::Durability;
use crate::{Error, Result};

/// A database, and what its numbers stand for.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) database: Database,
    /// The keyspaces that were opened; the default one is the first. Those that were dropped leave their place to
    /// others.
    keyspaces: RefCell<Vec<Option<Keyspace>>>,
    /// The durability levels that are not among the plain ones.
    intervals: RefCell<Vec<Durability>>,
}

/// Codes from here on stand for intervals.
const FIRST_INTERVAL: u32 = 16;

impl Shared {
    pub(super) fn new(database: Database) -> Self {
        let handle = Arc::clone(database.handle());
        let default = Keyspace::new(Arc::clone(&handle), Arc::clone(&handle.default_keyspace));
        Self { database, keyspaces: RefCell::new(vec![Some(default)]), intervals: RefCell::default() }
    }

    pub(super) fn handle(&self) -> &Arc<Handle> {
        self.database.handle()
    }

    pub(super) fn add_keyspace(&self, keyspace: Keyspace) -> u32 {
        let mut keyspaces = self.keyspaces.borrow_mut();
        let known = keyspaces.iter().position(|other| other.as_ref() == Some(&keyspace));
        let free = || keyspaces.iter().position(Option::is_none);
        let place = known.or_else(free).unwrap_or(keyspaces.len());
        if place == keyspaces.len() {
            keyspaces.push(None);
        }
        keyspaces[place] = Some(keyspace);
        place as u32
    }

    /// Lets go of a keyspace that was dropped: what it holds goes with its last view.
    pub(super) fn forget_keyspace(&self, name: &str) {
        for place in self.keyspaces.borrow_mut().iter_mut() {
            place.take_if(|keyspace| keyspace.name() == name);
        }
    }

    pub(super) fn with_keyspace<R>(&self, place: u32, action: impl FnOnce(&Keyspace) -> Result<R>) -> Result<R> {
        let keyspaces = self.keyspaces.borrow();
        let keyspace = keyspaces.get(place as usize).and_then(Option::as_ref);
        action(keyspace.ok_or_else(|| Error::invalid(format!("no keyspace number {place}")))?)
    }

    /// A code for an interval.
    pub(super) fn add_interval(&self, interval: Durability) -> u32 {
        let mut intervals = self.intervals.borrow_mut();
        let found = intervals.iter().position(|other| *other == interval);
        let place = found.unwrap_or_else(|| {
            intervals.push(interval);
            intervals.len() - 1
        });
        FIRST_INTERVAL + place as u32
    }

    /// What a code stands for; none for the database's own level.
    pub(super) fn durability(&self, code: u32) -> Result<Option<Durability>> {
        match code {
            0 => Ok(None),
            1 => Ok(Some(Durability::None)),
            2 => Ok(Some(Durability::Queued)),
            3 => Ok(Some(Durability::Buffered)),
            4 => Ok(Some(Durability::Immediate)),
            code => {
                let intervals = self.intervals.borrow();
                let interval = code.checked_sub(FIRST_INTERVAL).and_then(|place| intervals.get(place as usize));
                interval.map(|interval| Some(*interval)).ok_or_else(|| Error::invalid(format!("durability {code}")))
            }
        }
    }
}
