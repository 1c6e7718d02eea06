//! What a run has committed: every version's contents, and what was promised of it, when.

use std::collections::BTreeMap;
use std::rc::Rc;

use selkie::{Durability, Version};

pub(crate) type Key = (usize, Vec<u8>);
pub(crate) type State = BTreeMap<Key, Vec<u8>>;
pub(crate) type Changes = BTreeMap<Key, Option<Vec<u8>>>;

/// What somebody was told after so many calls of the storage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise {
    pub(crate) calls: usize,
    /// The commits up to this one survive.
    pub(crate) version: Version,
    /// What they survive: a loss of power, or only a crash of the process.
    pub(crate) power_loss: bool,
}

pub(crate) struct Model {
    /// The contents by version.
    states: Vec<Rc<State>>,
    /// The versions that changed a key, by key.
    changed: BTreeMap<Key, Vec<Version>>,
    promises: Vec<Promise>,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self { states: vec![Rc::default()], changed: BTreeMap::new(), promises: Vec::new() }
    }

    pub(crate) fn version(&self) -> Version {
        self.states.len() as Version - 1
    }

    pub(crate) fn state(&self, version: Version) -> Rc<State> {
        Rc::clone(&self.states[version as usize])
    }

    pub(crate) fn commit(&mut self, changes: &Changes) -> Version {
        let version = self.version() + 1;
        let mut state = State::clone(&self.states[version as usize - 1]);
        for (key, value) in changes {
            self.changed.entry(key.clone()).or_default().push(version);
            match value {
                Some(value) => drop(state.insert(key.clone(), value.clone())),
                None => drop(state.remove(key)),
            }
        }
        self.states.push(Rc::new(state));
        version
    }

    /// Commits nothing, until there are so many versions: the engine has commits of its own.
    pub(crate) fn follow(&mut self, version: Version) {
        while self.version() < version {
            self.commit(&Changes::new());
        }
    }

    /// The last version that changed a key.
    pub(crate) fn last_change(&self, key: &Key) -> Version {
        self.changed.get(key).and_then(|versions| versions.last()).copied().unwrap_or_default()
    }

    pub(crate) fn promise(&mut self, calls: usize, version: Version, durability: Durability) {
        let power_loss = match durability {
            Durability::Immediate => true,
            Durability::Buffered | Durability::Interval { .. } => false,
            _ => return,
        };
        self.promises.push(Promise { calls, version, power_loss });
    }

    /// The commits up to this one survive a crash after so many calls.
    pub(crate) fn promised(&self, calls: usize, power_loss: bool) -> Version {
        let holds = |promise: &&Promise| promise.calls <= calls && (promise.power_loss || !power_loss);
        self.promises.iter().filter(holds).map(|promise| promise.version).max().unwrap_or_default()
    }

    /// Goes back to what was found after a crash. It is promised from then on, and some of it for a loss of power too.
    pub(crate) fn return_to(&mut self, version: Version, durable: Version) {
        self.states.truncate(version as usize + 1);
        self.changed.values_mut().for_each(|versions| versions.retain(|changed| *changed <= version));
        let found = Promise { calls: 0, version, power_loss: false };
        self.promises = vec![found, Promise { version: durable, power_loss: true, ..found }];
    }
}
