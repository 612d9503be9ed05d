// SPDX-License-Identifier: Apache-2.0
// The contract between the hub and whatever brings data in.

package import Diagnostics

/// A source of data that the hub can read. The verbs that write to a peer join with the first connector that does.
///
/// Reading twice from one cursor gives the same items. A connector never touches the database: it yields
/// artifacts and cursors, and the hub keeps, maps and applies them.
package protocol Connector: Sendable {
    /// What the connector is and what it wants to know; never changes while the program runs.
    static var description: ConnectorDescription { get }

    /// Whether it asks a service how things are now, so that the same bytes as once before are news again; files that
    /// somebody drops a second time are not.
    static var readsCurrentState: Bool { get }

    /// Makes a connector from settings that ``check(_:)`` has passed.
    init(_ settings: Settings)

    /// What is wrong with some settings; empty when they can be used. Never crashes, whatever they hold.
    static func check(_ settings: Settings) -> [Diagnostic]

    /// What can be read now.
    func discover() async throws -> [StreamDescription]

    /// The first items of a stream, for a preview; changes nothing.
    func sample(_ stream: String, limit: Int) async throws -> [ConnectorItem]

    /// The items behind a cursor, in order; nil = from the start.
    ///
    /// - Parameter deliver: gets each item, and has committed what it brought when it returns: only then may the
    ///   source forget it. The next is read after that.
    func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws
}

extension Connector {
    /// Files, as most are.
    package static var readsCurrentState: Bool { false }
}

/// What became of an item that was delivered.
package enum Delivery: Sendable, Hashable {
    /// It was applied, or its records wait in quarantine.
    case accepted
    /// It was refused as a whole; its bytes are kept all the same.
    case refused(Diagnostic)

    /// What kept this machine from taking the item, worth another try; nil where the item was taken, or refused for what
    /// it is.
    ///
    /// It says nothing of the item, whose bytes may not even be kept: the item must come again, and no cursor behind it
    /// may be delivered.
    package var trouble: Diagnostic? {
        guard case .refused(var reason) = self, Self.troubles.contains(reason.code) else { return nil }
        reason.retry = .after(.seconds(300))
        return reason
    }

    /// Codes of `FileError` and `UnpackingError`, which connectors need not know: a full disk, a file of our own that
    /// cannot be read, a program that is not installed.
    private static let troubles: Set = [
        "FILE-UNWRITABLE", "FILE-UNREADABLE", "ARCHIVE-NO-SPACE", "PDF-TOOL-MISSING",
    ]
}

/// An opaque position that the hub keeps for a connector, committed with the data before it.
package struct Cursor: Sendable, Hashable {
    /// What the connector wrote; means nothing to anybody else.
    package let text: String

    /// A cursor as its connector wrote it.
    package init(_ text: String) {
        self.text = text
    }
}

/// What a connector delivers.
package enum ConnectorItem: Sendable, Hashable {
    /// A file as received: its name and where its bytes are.
    case artifact(name: String, path: String)
    /// Everything before this has been delivered.
    case cursor(Cursor)
    /// Something that could not be read; the rest goes on.
    case problem(Diagnostic)
}

/// Something that can be read from a connector.
package struct StreamDescription: Sendable, Hashable {
    /// Name, unique in the connector.
    package let name: String
    /// Fields that name an item; empty for files.
    package let naturalKey: [String]

    /// A stream; `naturalKey` names the fields that make a record the same one again.
    package init(name: String, naturalKey: [String] = []) {
        self.name = name
        self.naturalKey = naturalKey
    }
}
