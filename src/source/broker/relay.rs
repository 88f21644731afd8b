//! Carries the bytes of one client that the broker cannot take as it is. In: a connection whose CONNECT has not been
//! read. Out: a connection to hand to the broker, on which the adapted CONNECT comes first. It never changes a byte
//! after the CONNECT, and costs such a client one more hop through the loopback interface.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::knock::{self, Aliases, LONGEST_CONNECT};

/// How long a client may refuse to take a byte before it is given up. The broker cannot tell for itself, as this side
/// takes all it sends at first, and the keep-alive it was told may be very long.
const STALLED: Duration = Duration::from_secs(120);

const CHUNK: usize = 16 * 1024;

/// Two ends that are joined: what goes to the one goes to the other.
pub(super) struct Relay {
    client: TcpStream,
    inner: TcpStream,
}

impl Relay {
    /// Reads the CONNECT, and passes it on adapted. The second value is for the broker.
    pub(super) async fn open(mut client: TcpStream, aliases: &Aliases) -> io::Result<(Self, TcpStream)> {
        let packet = read_connect(&mut client).await?;
        let (mut inner, broker) = pair().await?;
        inner.write_all(&knock::adapt(&packet, aliases)).await?;
        Ok((Self { client, inner }, broker))
    }

    /// Ends when the broker has ended and the client has been told so, or when the client takes nothing any more.
    pub(super) async fn run(self) {
        let (from_client, to_client) = self.client.into_split();
        let (from_broker, to_broker) = self.inner.into_split();
        let up = async {
            // Either way the client has ended; the broker learns it by the end of the stream and ends in turn.
            let _ended = carry(from_client, to_broker).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ended = carry(from_broker, to_client) => {}
            () = up => {}
        }
    }
}

/// Copies until the end, then closes the far end for writing.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes @ [_, ..]) = buffer.get(..count) else {
            return to.shutdown().await;
        };
        timeout(STALLED, to.write_all(bytes)).await??;
    }
}

async fn read_connect(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = Vec::with_capacity(256);
    loop {
        // Byte by byte as long as the length is unknown (five bytes at most), then exactly the packet and no more.
        let missing = match knock::total_length(&packet) {
            Some(total) if packet.len() >= total => return Ok(packet),
            Some(total) => total - packet.len(),
            None if packet.len() < 5 => 1,
            None => return Err(io::ErrorKind::InvalidData.into()),
        };
        let seen = packet.len();
        (&mut *client).take(missing.min(LONGEST_CONNECT) as u64).read_buf(&mut packet).await?;
        if packet.len() == seen {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Two ends of one connection through loopback.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    near.set_nodelay(true)?;
    loop {
        let (far, peer) = listener.accept().await?;
        // Another program might have found the port first.
        if peer == near.local_addr()? {
            far.set_nodelay(true)?;
            return Ok((near, far));
        }
    }
}
