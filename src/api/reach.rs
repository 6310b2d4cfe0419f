//! What a foreign link may reach: the open internet, and nothing behind it.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether an address is one of the open internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || a == 0
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b & 0xfe) == 18))
        }
        IpAddr::V6(ip) => match inner_v4(ip) {
            Some(inner) => is_public(IpAddr::V4(inner)),
            // Global unicast is 2000::/3; what lies outside is local, multicast or unassigned.
            None => ip.segments()[0] & 0xe000 == 0x2000,
        },
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, NAT64 and 6to4.
fn inner_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Looks names up and drops the addresses of the inside. The connection goes to what is returned, so the name cannot
/// mean something else a moment later.
pub(super) struct PublicOnly;

/// A name that stands for nothing but addresses of the inside.
#[derive(Debug, thiserror::Error)]
#[error("the name stands for a private address")]
struct Inside;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let none = found.is_empty();
            let open: Vec<_> = found.into_iter().filter(|at| is_public(at.ip()) || is_stand_in(at.ip())).collect();
            if open.is_empty() && !none {
                return Err(Inside.into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// Tunnels answer every name with an address of 198.18.0.0/15 and send on what goes there; no network is inside it.
fn is_stand_in(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 198 && ip.octets()[1] & 0xfe == 18)
}

/// Whether names are looked up by this machine. Through a proxy it is the proxy that does, and the proxy itself may
/// well have a private address.
pub(super) fn looks_up_here() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let system = cfg!(any(target_os = "macos", target_os = "windows"));
    !system && !["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().any(set)
}

/// Whether a request failed because its host is inside.
pub(super) fn led_inside(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Inside>() {
            return true;
        }
        next = error.source();
    }
    false
}
