// SPDX-License-Identifier: Apache-2.0
// Any Singer tap: a program of somebody else's that writes what a service has as messages.

package import ConnectorKit
package import Diagnostics
internal import Foundation
internal import Programs

/// Runs a tap; its messages are artifacts, cut where it says how far it has come.
///
/// The tap's STATE is the cursor: it is kept once the records before it are committed, and handed back to the tap the
/// next time. A tap that dies has its records applied up to there; what it repeats then is found unchanged.
///
/// - Source: Singer specification 0.3.0.
package struct SingerConnector: Connector {
    package static let description = ConnectorDescription(
        id: "singer", version: 1, settings: SingerSettings.all, mappings: [])

    /// A tap that finds the service as it was last week has news when yesterday it was another.
    package static let readsCurrentState = true

    private let settings: Settings
    /// The same for every reading, so that reading twice gives the same.
    private let folder: URL

    /// The connector with the settings of one flow: ``SingerSettings`` says which.
    package init(_ settings: Settings) {
        self.settings = settings
        folder = ProgramFolder.place(for: "singer")
    }

    package static func check(_ settings: Settings) -> [Diagnostic] {
        settings.findings(for: description) + SingerSettings.findings(settings)
    }

    package func discover() async throws -> [StreamDescription] {
        try await withTap { tap in
            let catalog = try await tap.output(["--discover"])
            return try SingerCatalog(catalog).streams
        }
    }

    package func sample(_ stream: String, limit: Int) async throws -> [ConnectorItem] {
        // A run whose state nobody keeps. Whoever asked reads its files, so they stay until the system clears them.
        var items: [ConnectorItem] = []
        try await read(Tap(settings, in: folder), after: nil) { item in
            items.append(item)
            return .accepted
        }
        return Array(items.prefix(limit))
    }

    package func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        try await withTap { tap in try await read(tap, after: cursor, deliver) }
    }

    private func read(
        _ tap: Tap, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        var failure: (any Error)?
        do {
            try await tap.run(after: cursor)
        } catch let error as ProgramError where !error.has(.missing) {
            // What it wrote before it died counts up to its last state.
            failure = error
        }
        var messages = try RecordMessages(tap.folder.messages, in: tap.folder.url, isWhole: failure == nil)
        while let part = try messages.next() {
            if let path = part.path {
                let delivery = try await deliver(.artifact(name: part.name, path: path))
                // Messages that were not even kept must come again: no state behind them may be.
                if case .refused(let reason) = delivery, reason.code.hasPrefix("FILE-") {
                    throw ProgramError(delivery.trouble ?? reason)
                }
            }
            if let state = part.state { _ = try await deliver(.cursor(Cursor(state))) }
        }
        if let failure { throw failure }
    }

    private func withTap<Value>(_ body: (Tap) async throws -> Value) async throws -> Value {
        let tap = try Tap(settings, in: folder)
        defer { tap.folder.clear() }
        return try await body(tap)
    }
}
