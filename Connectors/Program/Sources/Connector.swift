// SPDX-License-Identifier: Apache-2.0
// A connector that is a program in any language: one request on its standard input, messages on its standard output.

package import ConnectorKit
package import Diagnostics
internal import Foundation
internal import Programs

/// Runs such a program.
///
/// It is started for each request, which is one line of JSON (`verb`: `discover` or `read`; `settings`, `state`,
/// `spool`), and writes messages, one a line: RECORD and STATE as Singer taps do, STREAM for each stream that it has,
/// ARTIFACT for a file that it wrote into the spool folder, PROBLEM for what it could not read. The STATE that it is
/// given is the last one behind which everything was committed.
package struct ProgramConnector: Connector {
    package static let description = ConnectorDescription(
        id: "program", version: 1, settings: ProgramSettings.all, mappings: [])

    /// A program that finds the service as it was last week has news when yesterday it was another.
    package static let readsCurrentState = true

    private let settings: Settings
    /// The same for every reading, so that reading twice gives the same.
    private let folder: URL

    /// The connector with the settings of one flow: ``ProgramSettings``, and those that the program describes.
    package init(_ settings: Settings) {
        self.settings = settings
        folder = ProgramFolder.place(for: "program")
    }

    package static func check(_ settings: Settings) -> [Diagnostic] {
        let findings = ProgramSettings.findings(settings)
        guard let folder = settings[ProgramSettings.folder.name].first, findings.isEmpty else {
            let missing = Diagnostic(
                code: "SETTING-MISSING", facts: ["setting": ProgramSettings.folder.name])
            return findings.isEmpty ? [missing] : findings
        }
        do {
            return settings.findings(for: try ProgramManifest(folder: folder).description)
        } catch {
            return error.faults
        }
    }

    package func discover() async throws -> [StreamDescription] {
        try await withRun { run in
            try await run.start("discover", stream: nil, after: nil)
            return try run.streams()
        }
    }

    package func sample(_ stream: String, limit: Int) async throws -> [ConnectorItem] {
        // A run whose state nobody keeps. Whoever asked reads its files, so they stay until the system clears them.
        var items: [ConnectorItem] = []
        try await read(ProgramRun(settings, in: folder), stream, after: nil) { item in
            items.append(item)
            return .accepted
        }
        return Array(items.prefix(limit))
    }

    package func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        try await withRun { run in try await read(run, stream, after: cursor, deliver) }
    }

    private func read(
        _ run: ProgramRun, _ stream: String, after cursor: Cursor?,
        _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        // The hub asks for files where a flow names no stream: for whatever there is.
        let chosen = settings[ProgramSettings.stream.name].first ?? (stream == "files" ? nil : stream)
        var failure: (any Error)?
        do {
            try await run.start("read", stream: chosen, after: cursor)
        } catch let error as ProgramError where !error.has(.missing) {
            // What it wrote before it died counts up to its last state.
            failure = error
        }
        var messages = try RecordMessages(
            run.folder.messages, in: run.folder.url, isWhole: failure == nil, own: ["ARTIFACT", "PROBLEM"],
            known: ["RECORD", "STATE", "SCHEMA", "STREAM", "ARTIFACT", "PROBLEM"],
            size: settings[ProgramSettings.part.name].first.flatMap { Int($0) } ?? 16 << 20)
        func next() throws -> RecordMessages.Part? {
            do {
                return try messages.next()
            } catch let strange as StrangeMessage {
                throw run.fault(strange.line)
            }
        }
        while let part = try next() {
            if let path = part.path {
                try await keep(.artifact(name: part.name, path: path), deliver)
            }
            if let state = part.state { _ = try await deliver(.cursor(Cursor(state))) }
            if let message = part.message { try await keep(try run.item(message), deliver) }
        }
        if let failure { throw failure }
    }

    private func keep(
        _ item: ConnectorItem, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        if let trouble = try await deliver(item).trouble { throw ProgramError(trouble) }
    }

    private func withRun<Value>(_ body: (ProgramRun) async throws -> Value) async throws -> Value {
        let run = try ProgramRun(settings, in: folder)
        defer { run.folder.clear() }
        return try await body(run)
    }
}
