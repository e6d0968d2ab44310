//! Network namespaces: addresses and packet filters of a test's own.
//!
//! Loopback addresses are no servers to Kubernetes, and no test may touch the machine's own network; inside a
//! namespace any address can be had. They are made with iproute2 and end with their owner.

use std::fs::File;
use std::io::Write as _;
use std::marker::PhantomData;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The namespace of the calling thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// Where iproute2 keeps namespaces that have names.
const FOLDER: &str = "/run/netns";

/// A network namespace, deleted on drop.
///
/// Threads and child processes that are started inside stay inside, and so does whatever socket is made there.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    /// Where the thread was before it entered.
    before: Option<File>,
    /// Only the thread that has entered can leave.
    _of_one_thread: PhantomData<*const ()>,
}

impl Namespace {
    /// Makes a namespace with nothing but loopback, which is up; its name holds `purpose`, the process id and a
    /// counter. `None` where this process may not make any, which in CI is a failure.
    #[must_use]
    #[track_caller]
    pub fn new(purpose: &str) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portway-{purpose}-{}-{number}", std::process::id());
        let output = Command::new("ip").args(["netns", "add", &name]).output();
        if !output.as_ref().is_ok_and(|output| output.status.success()) {
            let why = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            let advice =
                format!("no network namespace can be made ({why:?}); root and iproute2 can");
            assert!(std::env::var_os("CI").is_none(), "{advice}");
            eprintln!("SKIPPED: {advice}");
            return None;
        }
        let namespace = Self { name, before: None, _of_one_thread: PhantomData };
        namespace.ip("link set lo up");
        Some(namespace)
    }

    /// Makes a namespace with `addresses` on loopback, and moves the calling thread into it until it is dropped.
    /// `None` as in [`Namespace::new`].
    #[must_use]
    #[track_caller]
    pub fn enter(purpose: &str, addresses: &[Ipv4Addr]) -> Option<Self> {
        let mut namespace = Self::new(purpose)?;
        for address in addresses {
            namespace.ip(&format!("addr add {address}/32 dev lo"));
        }
        namespace.stay();
        Some(namespace)
    }

    /// Moves the calling thread into it until it is dropped.
    #[track_caller]
    pub fn stay(&mut self) {
        self.before = Some(File::open(OWN).expect("the thread's namespace"));
        self.go();
    }

    /// Does something inside, on the calling thread.
    #[track_caller]
    pub fn visit<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = File::open(OWN).expect("the thread's namespace");
        self.go();
        let result = work();
        move_to(&before);
        result
    }

    /// Runs `ip` for this namespace, with arguments that spaces part.
    #[track_caller]
    pub fn ip(&self, arguments: &str) {
        let mut command = Command::new("ip");
        run(command.args(["-netns", &self.name]).args(arguments.split(' ')), "");
    }

    /// A link between two namespaces: `address` here, `its_address` there, and each knows the way to the other.
    #[track_caller]
    pub fn link(&self, address: Ipv4Addr, other: &Self, its_address: Ipv4Addr) {
        // A link has one name at both ends, which no other one of either namespace has.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("to-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.ip(&format!("link add {name} type veth peer name {name} netns {}", other.name));
        for (namespace, own, far) in [(self, address, its_address), (other, its_address, address)] {
            namespace.ip(&format!("addr add {own} peer {far} dev {name}"));
            namespace.ip(&format!("link set {name} up"));
        }
    }

    /// Lets it pass on packets that are not for itself.
    #[track_caller]
    pub fn forward(&self) {
        self.visit(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("forwarding"));
    }

    /// Replaces all rules of the packet filter by these, in the language of `nft`.
    #[track_caller]
    pub fn filter(&self, rules: &str) {
        let rules = format!("flush ruleset\n{rules}");
        self.visit(|| run(Command::new("nft").args(["-f", "-"]), &rules));
    }

    fn go(&self) {
        let path = Path::new(FOLDER).join(&self.name);
        move_to(&File::open(path).expect("a namespace"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            move_to(before);
        }
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

/// Whether packets can be rewritten here: there is `nft`. In CI that there is none is a failure.
#[must_use]
#[track_caller]
pub fn can_filter() -> bool {
    let found = Command::new("nft").arg("--version").output().is_ok();
    if !found {
        let advice = "no nft found; `apt-get install nftables` brings it";
        assert!(std::env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
    }
    found
}

fn move_to(namespace: &File) {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .expect("another namespace");
}

#[track_caller]
fn run(command: &mut Command, input: &str) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // A command that does not read its input may end before it is written.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("a command's end");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}{input}");
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;

    const HERE: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
    const THERE: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);

    #[test]
    fn what_is_made_inside_is_reached_from_inside_alone() {
        let address = SocketAddr::from((HERE, 8080));
        let reach =
            move || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
        {
            let Some(_inside) = Namespace::enter("inside", &[HERE]) else { return };
            let _listener = TcpListener::bind(address).expect("an address of the namespace");
            assert!(reach());
            assert!(std::thread::spawn(reach).join().expect("an inherited namespace"));
        }
        assert!(TcpListener::bind(address).is_err(), "the thread did not leave");
    }

    #[test]
    fn linked_namespaces_reach_each_other_and_rewrite_packets() {
        if !can_filter() {
            return;
        }
        let (Some(one), Some(other)) = (Namespace::new("one"), Namespace::new("other")) else {
            return;
        };
        one.link(HERE, &other, THERE);
        let listener = other.visit(|| TcpListener::bind((THERE, 8080)).expect("an address"));
        let reach = |port| {
            let address = SocketAddr::from((THERE, port));
            one.visit(|| TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok())
        };
        assert!(reach(8080));
        assert!(!reach(80));
        other.filter(
            "table ip nat { chain in { type nat hook prerouting priority -100;\n\
             tcp dport 80 redirect to :8080; }; }",
        );
        assert!(reach(80));
        drop(listener);
        assert!(!reach(80));
    }
}
