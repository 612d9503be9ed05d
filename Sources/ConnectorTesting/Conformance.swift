// SPDX-License-Identifier: Apache-2.0
// What every connector must do, whatever it talks to; each connector's tests run this.

package import ConnectorKit
internal import Diagnostics
internal import Foundation

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
        /// Reading twice gives the same.
        case twice
        /// No output shows a secret.
        case secrets
        /// A sample is not larger than asked.
        case sample
        /// Ended anywhere and gone on with from the last cursor, nothing is lost or doubled.
        case resume
    }

    /// What was promised and not kept.
    package let promise: Promise
    /// Where it showed: a setting's name, a number of items; empty where the promise says all.
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
        let instance = C(settings)
        let streams = try await instance.discover()
        guard !streams.isEmpty else { throw fault(.description, "streams") }
        for stream in streams {
            try await checkReading(instance, stream.name, secrets)
        }
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
            for secret in secrets where item.shows(secret) { throw fault(.secrets) }
        }
        let sample = try await connector.sample(stream, limit: 1)
        guard sample.count <= 1 else { throw fault(.sample) }
        for stop in 0...all.count {
            let committed = all[..<stop].lastIndex { $0.cursor != nil }
            let cursor = committed.flatMap { all[$0].cursor }
            let rest = try await read(connector, stream, after: cursor)
            let done = committed.map { Array(all[...$0]) } ?? []
            guard done + rest == all else {
                throw fault(.resume, String(stop))
            }
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
    case artifact([UInt8])
    case cursor(Cursor)
    case problem(Diagnostic)

    init(_ item: ConnectorItem) throws {
        switch item {
        case .artifact(_, let path): self = .artifact(Array(try Data(contentsOf: URL(filePath: path))))
        case .cursor(let cursor): self = .cursor(cursor)
        case .problem(let problem): self = .problem(problem)
        }
    }

    var cursor: Cursor? { if case .cursor(let cursor) = self { cursor } else { nil } }

    func shows(_ secret: String) -> Bool {
        switch self {
        case .artifact(let bytes): Data(bytes).range(of: Data(secret.utf8)) != nil
        case .cursor(let cursor): cursor.text.contains(secret)
        case .problem(let problem): "\(problem)".contains(secret)
        }
    }
}
