// SPDX-License-Identifier: Apache-2.0
// What every connector must do, whatever it talks to; each connector's tests run this.

package import ConnectorKit
internal import Diagnostics
internal import Foundation
internal import Synchronization

/// A broken promise of a connector.
package struct ConformanceFault: Error, CustomStringConvertible {
    /// What every connector promises.
    package enum Promise: String, CaseIterable, Sendable {
        /// It has an id, a version, and settings with names of their own and help in both languages.
        case description
        /// Settings that work have no finding.
        case goodSettings = "good-settings"
        /// Settings that cannot work have one.
        case badSettings = "bad-settings"
        /// Reading twice from one cursor gives the same, under the same names.
        case twice
        /// No output shows a secret, nor does what it says while it works.
        case secrets
        /// A sample is not larger than asked.
        case sample
        /// Ended anywhere and gone on with from the last cursor, nothing is lost or doubled.
        case resume
    }

    /// What was promised and not kept.
    package let promise: Promise
    /// Where it showed: a setting's name, a number of items, a kind of output; empty where the promise says all.
    package let detail: String

    package var description: String { "broken promise: \(promise.rawValue) \(detail)" }
}

/// The conformance suite.
package enum Conformance {
    /// Checks the connector with settings that work and with settings that do not.
    ///
    /// - Parameter secrets: values of secret settings, which no output may show.
    /// - Throws: ``ConformanceFault`` for the first promise that is broken.
    package static func check<C: Connector>(
        _ connector: C.Type, settings: Settings, broken: [Settings], secrets: [String] = []
    ) async throws {
        try checkDescription(C.description)
        guard C.check(settings).isEmpty else { throw fault(.goodSettings) }
        for settings in broken + [Settings(["no-such-setting": ["x"]])] where C.check(settings).isEmpty {
            throw fault(.badSettings, "\(settings.values.keys.sorted())")
        }
        let overheard = Overheard(secrets)
        let instance = C(overheard.listening(to: settings))
        let streams = try await instance.discover()
        guard !streams.isEmpty else { throw fault(.description, "streams") }
        for stream in streams {
            for secret in secrets where stream.name.contains(secret) { throw fault(.secrets, "stream") }
            try await checkReading(instance, stream.name, secrets)
        }
        guard !overheard.hasSecret else { throw fault(.secrets, "stderr") }
    }

    private static func fault(_ promise: ConformanceFault.Promise, _ detail: String = "") -> ConformanceFault
    {
        ConformanceFault(promise: promise, detail: detail)
    }

    private static func checkDescription(_ description: ConnectorDescription) throws {
        guard !description.id.isEmpty, description.version > 0 else {
            throw fault(.description, "id, version")
        }
        let names = description.settings.map(\.name)
        guard Set(names).count == names.count else {
            throw fault(.description, names.joined(separator: ", "))
        }
        for setting in description.settings where setting.frenchHelp.isEmpty || setting.englishHelp.isEmpty {
            throw fault(.description, setting.name)
        }
    }

    /// Reading twice gives the same; stopping behind any item and going on from the last cursor loses and doubles
    /// nothing that was committed with a cursor.
    private static func checkReading(_ connector: some Connector, _ stream: String, _ secrets: [String])
        async throws
    {
        let all = try await read(connector, stream, after: nil)
        guard try await read(connector, stream, after: nil) == all else {
            throw fault(.twice)
        }
        for item in all {
            for secret in secrets {
                if let kind = item.kind(showing: secret) { throw fault(.secrets, kind) }
            }
        }
        let sample = try await connector.sample(stream, limit: 1)
        guard sample.count <= 1 else { throw fault(.sample) }
        var last: (cursor: Cursor?, rest: [Delivered]) = (nil, all)
        for stop in 0...all.count {
            let committed = all[..<stop].lastIndex { $0.cursor != nil }
            let cursor = committed.flatMap { all[$0].cursor }
            let rest = try await read(connector, stream, after: cursor)
            let done = committed.map { Array(all[...$0]) } ?? []
            // A reading that begins later may count its files anew.
            guard (done + rest).map(\.nameless) == all.map(\.nameless) else {
                throw fault(.resume, String(stop))
            }
            guard cursor != last.cursor || rest == last.rest else { throw fault(.twice) }
            last = (cursor, rest)
        }
    }

    private static func read(
        _ connector: some Connector, _ stream: String, after cursor: Cursor?
    ) async throws -> [Delivered] {
        var items: [Delivered] = []
        try await connector.read(stream, after: cursor) { item in
            items.append(try Delivered(item))
            return .accepted
        }
        return items
    }
}

/// What a connector delivered, wherever its bytes lay: these are gone with the next item.
private enum Delivered: Equatable {
    case artifact(name: String, bytes: [UInt8])
    case cursor(Cursor)
    case problem(Diagnostic)

    init(_ item: ConnectorItem) throws {
        switch item {
        case .artifact(let name, let path):
            self = .artifact(name: name, bytes: Array(try Data(contentsOf: URL(filePath: path))))
        case .cursor(let cursor): self = .cursor(cursor)
        case .problem(let problem): self = .problem(problem)
        }
    }

    var cursor: Cursor? { if case .cursor(let cursor) = self { cursor } else { nil } }

    /// The same whatever an artifact is called.
    var nameless: Delivered {
        if case .artifact(_, let bytes) = self { .artifact(name: "", bytes: bytes) } else { self }
    }

    /// What shows a secret; nil where nothing does.
    func kind(showing secret: String) -> String? {
        switch self {
        case .artifact(let name, let bytes):
            if name.contains(secret) { return "artifact name" }
            return Data(bytes).range(of: Data(secret.utf8)) == nil ? nil : "artifact"
        case .cursor(let cursor): return cursor.text.contains(secret) ? "cursor" : nil
        case .problem(let problem):
            let texts =
                Array(problem.facts.values) + [problem.place.file, problem.place.value].compactMap(\.self)
            return texts.contains { $0.contains(secret) } ? "problem" : nil
        }
    }
}

/// Hears what a connector says while it works, and remembers whether a secret was in it.
private final class Overheard: Sendable {
    private let secrets: [String]
    private let isBroken = Atomic(false)

    init(_ secrets: [String]) {
        self.secrets = secrets
    }

    var hasSecret: Bool { isBroken.load(ordering: .relaxed) }

    /// The settings, heard by this too.
    func listening(to settings: Settings) -> Settings {
        var heard = settings
        heard.listener = ConnectorListener { remark in
            self.hear(remark)
            settings.listener?.hear(remark)
        }
        return heard
    }

    private func hear(_ remark: ConnectorRemark) {
        let text =
            switch remark {
            case .line(let line): line
            case .metric(let name, _, _): name
            }
        if secrets.contains(where: { text.contains($0) }) { isBroken.store(true, ordering: .relaxed) }
    }
}
