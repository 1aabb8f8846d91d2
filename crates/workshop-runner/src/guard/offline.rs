//! A program that has no way out: a network of its own in which there is only loopback, and a count of what
//! it tried all the same.
//!
//! On Linux the guard moves itself, and with it what it starts, into a new user and network namespace. There
//! nobody has a route, so whatever is sent to another machine fails at once, and the kernel counts it
//! (`OutNoRoutes`); a question to a name server on loopback finds nobody listening (`NoPorts` of UDP). Where
//! namespaces are forbidden (some containers) or unknown (other systems), the program runs as ever and the
//! findings say that nothing was checked.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

/// What a file of findings says, one line for each guard that wrote into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// So often the program tried to reach another machine or a name server.
    Attempts(u64),
    /// Why nothing could be seen.
    NotChecked(String),
}

impl Finding {
    /// Adds a line to the findings.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let line = match self {
            Self::Attempts(n) => format!("attempts {n}\n"),
            Self::NotChecked(why) => format!("not checked: {}\n", why.replace('\n', " ")),
        };
        let mut file = OpenOptions::new().append(true).create(true).open(file)?;
        file.write_all(line.as_bytes())
    }

    /// The sum of all lines: attempts count, and one guard that saw nothing spoils the proof.
    pub(crate) fn sum(text: &str) -> Self {
        let mut attempts = 0;
        let mut blind = text
            .is_empty()
            .then(|| "no guard watched the tests".to_owned());
        for line in text.lines() {
            match line.strip_prefix("attempts ").map(str::parse::<u64>) {
                Some(Ok(n)) => attempts += n,
                _ => blind = Some(line.trim_start_matches("not checked: ").to_owned()),
            }
        }
        match blind {
            Some(why) if attempts == 0 => Self::NotChecked(why),
            _ => Self::Attempts(attempts),
        }
    }
}

/// A network with nothing but loopback, for this process and what it starts from now on.
#[cfg(target_os = "linux")]
pub(super) fn cut_off() -> Result<(), String> {
    use rustix::thread::UnshareFlags;
    use std::fs;

    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET;
    #[expect(
        deprecated,
        reason = "its successor is unsafe for the sake of `FILES` alone, which is not asked for"
    )]
    rustix::thread::unshare(flags).map_err(|error| {
        format!("this system gives no network of its own to a program (unshare: {error})")
    })?;
    // The same user inside as outside, so that files stay the program's own.
    let map = |what: &str, text: String| {
        fs::write(format!("/proc/self/{what}"), text).map_err(|e| format!("/proc/self/{what}: {e}"))
    };
    map("setgroups", "deny".into())?;
    map("gid_map", format!("{0} {0} 1", gid.as_raw()))?;
    map("uid_map", format!("{0} {0} 1", uid.as_raw()))?;
    loopback_up().map_err(|error| format!("loopback cannot be switched on: {error}"))
}

/// What `ip link set lo up` asks of the kernel: one `RTM_NEWLINK` for the interface with number 1.
#[cfg(target_os = "linux")]
fn loopback_up() -> io::Result<()> {
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketType, netlink::SocketAddrNetlink, recv, sendto,
        socket,
    };
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 0x1 | 0x4;
    const IFF_UP: u32 = 1;
    const LOOPBACK: u32 = 1;
    const NLMSG_ERROR: u16 = 2;

    let mut message = Vec::with_capacity(32);
    // `nlmsghdr`: length, type, flags, sequence, port.
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACK.to_ne_bytes());
    message.extend([0; 8]);
    // `ifinfomsg`: family and padding, type, index, flags, which flags change.
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    let kernel = SocketAddrNetlink::new(0, 0);
    let socket = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    sendto(&socket, &message, SendFlags::empty(), &kernel)?;
    let mut answer = [0; 128];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    let kind = u16::from_ne_bytes([answer[4], answer[5]]);
    let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
    match (length >= 20 && kind == NLMSG_ERROR, error) {
        (true, 0) => Ok(()),
        (true, error) => Err(io::Error::from_raw_os_error(-error)),
        (false, _) => Err(io::Error::other("the kernel gave no answer")),
    }
}

/// How often something in this network tried to leave it.
#[cfg(target_os = "linux")]
pub(super) fn attempts() -> io::Result<u64> {
    let four = std::fs::read_to_string("/proc/self/net/snmp")?;
    let six = std::fs::read_to_string("/proc/self/net/snmp6").unwrap_or_default();
    let counted = [
        in_table(&four, "Ip:", "OutNoRoutes"),
        in_table(&four, "Udp:", "NoPorts"),
        in_list(&six, "Ip6OutNoRoutes"),
        in_list(&six, "Udp6NoPorts"),
    ];
    Ok(counted.into_iter().sum())
}

/// A number of `snmp`: a line of names and a line of values, both with the protocol in front.
#[cfg(target_os = "linux")]
fn in_table(text: &str, protocol: &str, name: &str) -> u64 {
    let mut rows = text.lines().filter_map(|line| line.strip_prefix(protocol));
    let (Some(names), Some(values)) = (rows.next(), rows.next()) else {
        return 0;
    };
    let mut columns = names.split_whitespace().zip(values.split_whitespace());
    let value = columns.find(|(column, _)| *column == name);
    value.and_then(|(_, n)| n.parse().ok()).unwrap_or_default()
}

/// A number of `snmp6`: one name and value a line.
#[cfg(target_os = "linux")]
fn in_list(text: &str, name: &str) -> u64 {
    let mut lines = text
        .lines()
        .filter_map(|line| line.split_once(char::is_whitespace));
    let value = lines.find(|(column, _)| *column == name);
    value
        .and_then(|(_, n)| n.trim().parse().ok())
        .unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn cut_off() -> Result<(), String> {
    Err("only Linux gives a program a network of its own".to_owned())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn attempts() -> io::Result<u64> {
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_blind_guard_spoils_the_proof_and_an_attempt_is_one_for_all_that() {
        let not_checked = |why: &str| Finding::NotChecked(why.to_owned());
        let rows = [
            ("attempts 0\nattempts 0\n", Finding::Attempts(0)),
            ("attempts 1\nattempts 2\n", Finding::Attempts(3)),
            ("attempts 0\nnot checked: no\n", not_checked("no")),
            ("attempts 1\nnot checked: no\n", Finding::Attempts(1)),
            ("", not_checked("no guard watched the tests")),
        ];
        for (text, wanted) in rows {
            assert_eq!(Finding::sum(text), wanted, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_numbers_are_found() {
        let four = "Ip: Forwarding OutNoRoutes X\nIp: 2 7 0\nUdp: InDatagrams NoPorts\nUdp: 1 3\n";
        assert_eq!(in_table(four, "Ip:", "OutNoRoutes"), 7);
        assert_eq!(in_table(four, "Udp:", "NoPorts"), 3);
        assert_eq!(in_table(four, "Udp:", "none"), 0);
        let six = "Ip6OutRequests\t4\nIp6OutNoRoutes                  \t5\n";
        assert_eq!(in_list(six, "Ip6OutNoRoutes"), 5);
    }
}
