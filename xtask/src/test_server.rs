//! Keeps the server of `wasm-bindgen-test-runner` from leaving a browser without an answer.
//!
//! Where connections come in at once, the pool of threads of that server (`tiny_http` 0.12, `TaskPool::spawn`) counts a
//! thread as idle that was given a connection already, and puts the next connection in its queue with nobody to take
//! it. A browser keeps its connections, so no thread becomes free, and the page waits for a script for ever. A thread
//! that ends a connection looks into the queue: connections that are closed as soon as they are open see to that.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::Result;

const INTERVAL: Duration = Duration::from_millis(100);

/// An address for the server, called on until this is dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    end: Option<Sender<()>>,
    caller: Option<JoinHandle<()>>,
}

impl TestServer {
    pub(crate) fn new() -> Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| format!("no port is free for a server: {error}"))?;
        let (end, ended) = channel();
        let caller = thread::spawn(move || call(address, &ended));
        Ok(Self { address, end: Some(end), caller: Some(caller) })
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(caller) = self.caller.take() {
            let _: thread::Result<()> = caller.join();
        }
    }
}

fn call(address: SocketAddr, ended: &Receiver<()>) {
    while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        // Refused until the server is there, and after it has gone.
        let _: std::io::Result<TcpStream> = TcpStream::connect(address);
    }
}
