// SPDX-License-Identifier: Apache-2.0
// Where a user can go, by his role.

internal import CRM

/// The navigation of a page.
struct Navigation: Sendable {
    /// A group of entries.
    struct Section: Sendable {
        let title: String
        let entries: [Entry]
    }

    /// A link.
    struct Entry: Sendable {
        let title: String
        /// What the phone's bar says.
        let short: String
        let url: String
        let icon: String
        let isCurrent: Bool
        /// How much waits there for a person.
        let count: String?
    }

    let sections: [Section]
    /// Pages that the menu has no room for.
    let others: [Entry]
    /// At most four, for the phone.
    let dock: [Entry]

    private enum Right {
        case everybody, clients, operate, handle, maintain, administer

        func allows(_ user: AppUser) -> Bool {
            switch self {
            case .everybody: true
            case .clients: user.scope >= 0
            case .operate: user.mayOperate
            case .handle: user.mayHandle
            case .maintain: user.isAdmin || user.role == .it
            case .administer: user.isAdmin
            }
        }
    }

    private struct Place {
        let key: String
        let url: String
        let icon: String
        let right: Right
        /// Whether the menu shows it; the palette finds the others too.
        var isListed = true
    }

    private static let places: [(section: String, places: [Place])] = [
        (
            "sales",
            [
                Place(key: "accounts", url: "/accounts", icon: "people", right: .clients),
                Place(key: "agenda", url: "/agenda", icon: "cal", right: .clients),
            ]
        ),
        (
            "exchange",
            [
                Place(key: "overview", url: "/overview", icon: "home", right: .operate),
                Place(key: "runs", url: "/runs", icon: "run", right: .operate),
                Place(key: "quarantine", url: "/quarantine", icon: "hold", right: .operate),
                Place(key: "import", url: "/imports/new", icon: "in", right: .handle),
                Place(key: "matches", url: "/matches", icon: "people", right: .handle),
                Place(key: "flows", url: "/flows", icon: "turn", right: .operate),
                Place(key: "mappings", url: "/mappings", icon: "doc", right: .operate),
                Place(key: "sources", url: "/sources", icon: "in", right: .operate, isListed: false),
                Place(key: "schedules", url: "/schedules", icon: "run", right: .operate, isListed: false),
            ]
        ),
        (
            "administration",
            [
                Place(
                    key: "secrets", url: "/secrets", icon: "hold", right: .administer, isListed: false),
                Place(key: "users", url: "/users", icon: "people", right: .administer),
                Place(key: "audit", url: "/audit", icon: "doc", right: .administer),
                Place(key: "settings", url: "/settings", icon: "note", right: .maintain),
            ]
        ),
    ]

    /// What a user may open.
    ///
    /// - Parameters:
    ///   - current: the address of the entry that the page belongs to.
    ///   - waiting: records in quarantine.
    init(_ user: AppUser, current: String, waiting: Int, _ words: (String) -> String, number: (Int) -> String)
    {
        func entry(_ place: Place) -> Entry {
            Entry(
                title: words("page.nav.\(place.key)"), short: words("page.nav.\(place.key)Short"),
                url: place.url, icon: place.icon, isCurrent: place.url == current,
                count: place.url == "/quarantine" && waiting > 0 ? number(waiting) : nil)
        }
        let allowed = Self.places.map { section in
            (section.section, section.places.filter { $0.isListed && $0.right.allows(user) })
        }.filter { !$0.1.isEmpty }
        sections = allowed.map { name, places in
            Section(title: words("page.nav.\(name)"), entries: places.map(entry))
        }
        others = Self.places.flatMap(\.places).filter { !$0.isListed && $0.right.allows(user) }.map(entry)
        dock = Array(sections.flatMap(\.entries).prefix(4))
    }

    /// The page that a user begins with.
    static func home(of user: AppUser) -> String { user.mayOperate ? "/overview" : "/accounts" }
}
