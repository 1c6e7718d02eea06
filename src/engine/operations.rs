//! Commits of the catalog: keyspaces that are created and dropped, and the retention.
//!
//! What begins with `begin` applies at once and returns the ticket to wait for.

use std::sync::Arc;

use super::Engine;
use super::catalog::{self, KeyspaceState};
use super::commit::{Ticket, stage_of};
use crate::codec::Operation;
use crate::index::Index;
use crate::options::Retention;
use crate::progress::{Goal, Stage};
use crate::{Error, ErrorKind, Result};

impl Engine {
    /// Creates a keyspace, unless it exists.
    pub(crate) async fn create_keyspace(&self, name: &str) -> Result<Arc<KeyspaceState>> {
        let (keyspace, ticket) = self.begin_create_keyspace(name)?;
        if let Some(ticket) = ticket {
            self.wait_for(ticket).await?;
        }
        Ok(keyspace)
    }

    /// Creates a keyspace, unless it exists. There is a ticket as long as its creation is under way.
    pub(crate) fn begin_create_keyspace(&self, name: &str) -> Result<(Arc<KeyspaceState>, Option<Ticket>)> {
        self.check_open()?;
        catalog::check_name(name)?;
        let _one_at_a_time = self.catalog_change.lock();
        if let Some(existing) = self.keyspace(name) {
            let ticket = self.creation_of(&existing);
            return Ok((existing, ticket));
        }
        let (ticket, keyspace) = self.commit_operation(|version, time| {
            let mut catalog = self.catalog.write();
            let keyspace = KeyspaceState::created(catalog.next_number, name, Index::new(), (version, time));
            catalog.add(Arc::clone(&keyspace));
            (Operation::CreateKeyspace { keyspace: keyspace.number, name }, keyspace)
        })?;
        Ok((keyspace, Some(ticket)))
    }

    /// What somebody waits for who finds a keyspace that another has just created.
    fn creation_of(&self, keyspace: &KeyspaceState) -> Option<Ticket> {
        let (version, time) = keyspace.created;
        let stage = if self.log.is_some() { stage_of(self.options.durability) } else { Stage::Applied };
        let is_done = self.options.read_only || self.progress.reached(Goal::Commit(version, stage));
        (!is_done).then_some(Ticket { version, time, stage })
    }

    pub(crate) async fn drop_keyspace(&self, name: &str) -> Result<()> {
        let ticket = self.begin_drop_keyspace(name)?;
        self.wait_for(ticket).await
    }

    pub(crate) fn begin_drop_keyspace(&self, name: &str) -> Result<Ticket> {
        if name == catalog::DEFAULT_NAME {
            return Err(Error::invalid("the default keyspace cannot be dropped"));
        }
        let _one_at_a_time = self.catalog_change.lock();
        let keyspace =
            self.keyspace(name).ok_or_else(|| Error::new(ErrorKind::KeyspaceNotFound { name: name.into() }))?;
        let (ticket, ()) = self.commit_operation(|version, time| {
            self.catalog.write().remove(name);
            keyspace.mark_dropped(version, time);
            (Operation::DropKeyspace { keyspace: keyspace.number }, ())
        })?;
        Ok(ticket)
    }

    /// Sets the retention that the options ask for, where it is another than the stored one.
    pub(super) async fn apply_wanted_retention(&self) -> Result<()> {
        match self.options.history {
            Some(wanted) if !self.options.read_only && wanted != *self.retention.read() => {
                self.set_retention(wanted).await
            }
            _ => Ok(()),
        }
    }

    async fn set_retention(&self, retention: Retention) -> Result<()> {
        let (ticket, ()) = self.commit_operation(|_, _| {
            *self.retention.write() = retention;
            (Operation::SetRetention(retention), ())
        })?;
        self.wait_for(ticket).await
    }
}
