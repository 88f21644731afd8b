//! A binding table that is replaced whole while listeners use it.
//!
//! In: a new table with each scene reload. Out: the newest table to every listener, which is told at once.

use std::sync::Arc;

use tokio::sync::watch;

use super::BindingTable;

/// The owner's end: cheap to clone, any clone may swap.
#[derive(Clone, Debug)]
pub struct SharedTable {
    sender: Arc<watch::Sender<Arc<BindingTable>>>,
}

/// A listener's end.
#[derive(Clone, Debug)]
pub struct TableWatch {
    receiver: watch::Receiver<Arc<BindingTable>>,
}

impl SharedTable {
    pub fn new(table: BindingTable) -> Self {
        Self { sender: Arc::new(watch::Sender::new(Arc::new(table))) }
    }

    /// Replaces the table; listeners adopt it before their next message and mend their subscriptions.
    pub fn swap(&self, table: BindingTable) {
        self.sender.send_replace(Arc::new(table));
    }

    pub fn load(&self) -> Arc<BindingTable> {
        self.sender.borrow().clone()
    }

    pub fn watch(&self) -> TableWatch {
        TableWatch { receiver: self.sender.subscribe() }
    }
}

impl TableWatch {
    /// The newest table; a later swap counts as a change.
    pub fn take(&mut self) -> Arc<BindingTable> {
        self.receiver.borrow_and_update().clone()
    }

    /// Whether the table was swapped since the last `take`.
    pub fn has_changed(&self) -> bool {
        self.receiver.has_changed().unwrap_or(false)
    }

    /// Waits for a swap; for ever once nobody is left who could swap.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
