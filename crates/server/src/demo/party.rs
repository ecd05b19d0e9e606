//! The processes of a demonstration, their names and their addresses.

use std::collections::BTreeMap;
use std::net::TcpListener;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// A process of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Party {
    Trustee1,
    Trustee2,
    Trustee3,
    Operator,
    ForumGateway,
    Forum,
    ShopGateway,
    Shop,
}

impl Party {
    /// All, in the order in which they start.
    pub const ALL: [Party; 8] = [
        Party::Trustee1,
        Party::Trustee2,
        Party::Trustee3,
        Party::Operator,
        Party::ForumGateway,
        Party::Forum,
        Party::ShopGateway,
        Party::Shop,
    ];

    /// The trustees.
    pub const TRUSTEES: [Party; 3] = [Party::Trustee1, Party::Trustee2, Party::Trustee3];

    /// Its folder and log file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Party::Trustee1 => "trustee-1",
            Party::Trustee2 => "trustee-2",
            Party::Trustee3 => "trustee-3",
            Party::Operator => "operator",
            Party::ForumGateway => "forum-gateway",
            Party::Forum => "forum",
            Party::ShopGateway => "shop-gateway",
            Party::Shop => "shop",
        }
    }

    /// Its host name on the loopback interface.
    #[must_use]
    pub fn host(self) -> &'static str {
        match self {
            Party::Trustee1 => "trustee1.localhost",
            Party::Trustee2 => "trustee2.localhost",
            Party::Trustee3 => "trustee3.localhost",
            Party::Operator => "operator.localhost",
            Party::ForumGateway => "login.forum.localhost",
            Party::Forum => "forum.localhost",
            Party::ShopGateway => "login.shop.localhost",
            Party::Shop => "shop.localhost",
        }
    }

    /// The port it takes where that is free.
    fn preferred_port(self) -> u16 {
        match self {
            Party::Operator => 9440,
            Party::Trustee1 => 9441,
            Party::Trustee2 => 9442,
            Party::Trustee3 => 9443,
            Party::Forum => 9450,
            Party::ForumGateway => 9451,
            Party::Shop => 9460,
            Party::ShopGateway => 9461,
        }
    }
}

/// One of the two demonstration sites.
#[derive(Clone, Copy, Debug)]
pub struct SiteOfDemo {
    /// The site itself.
    pub site: Party,
    /// Its gateway.
    pub gateway: Party,
    pub(super) name: &'static str,
    pub(super) purpose: &'static str,
    /// The items it is registered for and asks for.
    pub items: &'static [&'static str],
    /// The age in years that it has proved, once an account.
    pub age_over: Option<u8>,
}

/// Both sites: the forum asks for nothing, the shop for the holder's sex and an age.
pub const SITES: [SiteOfDemo; 2] = [
    SiteOfDemo {
        site: Party::Forum,
        gateway: Party::ForumGateway,
        name: "Campo Forum",
        purpose: "One account per person, so that a banned person stays out",
        items: &[],
        age_over: None,
    },
    SiteOfDemo {
        site: Party::Shop,
        gateway: Party::ShopGateway,
        name: "Mask Shop",
        purpose: "One account per adult; the form of address on the parcel",
        items: &["sex"],
        age_over: Some(18),
    },
];

/// Which address each party listens on and is reached at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ports {
    listen: BTreeMap<Party, u16>,
    reached: BTreeMap<Party, u16>,
}

impl Ports {
    /// The preferred ports, or the next free ones.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn preferred() -> anyhow::Result<Ports> {
        let mut listen = BTreeMap::new();
        let mut held = Vec::new();
        for party in Party::ALL {
            let first = party.preferred_port();
            let taken =
                (first..first + 500).find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
            let listener = taken.with_context(|| format!("no port from {first} on is free"))?;
            listen.insert(party, listener.local_addr()?.port());
            held.push(listener);
        }
        Ok(Ports {
            reached: listen.clone(),
            listen,
        })
    }

    /// Ports that each process picks when it starts; whoever wants to reach one needs
    /// [`Ports::behind`].
    #[must_use]
    pub fn unknown() -> Ports {
        let none = || Party::ALL.map(|party| (party, 0)).into_iter().collect();
        Ports {
            listen: none(),
            reached: none(),
        }
    }

    /// The same, but `party` is reached at another port: something stands in front of it.
    #[must_use]
    pub fn behind(mut self, party: Party, port: u16) -> Ports {
        self.reached.insert(party, port);
        self
    }

    /// The port that `party` listens on.
    #[must_use]
    pub fn listen(&self, party: Party) -> u16 {
        self.listen.get(&party).copied().unwrap_or_default()
    }

    /// The origin at which `party` is reached.
    #[must_use]
    pub fn origin(&self, party: Party) -> String {
        let port = self.reached.get(&party).copied().unwrap_or_default();
        format!("https://{}:{port}", party.host())
    }
}
