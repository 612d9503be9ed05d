// SPDX-License-Identifier: Apache-2.0
// What every connector must do, whatever it talks to; each connector's tests run this.

package import ConnectorKit
internal import Diagnostics

/// A broken promise of a connector.
package struct ConformanceFault: Error, CustomStringConvertible {
    /// What was promised and not kept.
    package let description: String
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
        guard C.check(settings).isEmpty else { throw fault("good settings have findings") }
        for settings in broken + [Settings(["no-such-setting": ["x"]])] where C.check(settings).isEmpty {
            throw fault("bad settings have no finding: \(settings.values.keys.sorted())")
        }
        let instance = C(settings)
        for stream in try await instance.discover() {
            try await checkReading(instance, stream.name, secrets)
        }
    }

    private static func fault(_ words: String) -> ConformanceFault { ConformanceFault(description: words) }

    private static func checkDescription(_ description: ConnectorDescription) throws {
        guard !description.id.isEmpty, description.version > 0 else { throw fault("no id or version") }
        let names = description.settings.map(\.name)
        guard Set(names).count == names.count else { throw fault("a setting is declared twice") }
        for setting in description.settings where setting.frenchHelp.isEmpty || setting.englishHelp.isEmpty {
            throw fault("setting \(setting.name) has no help in both languages")
        }
    }

    /// Reading twice gives the same; stopping behind any item and going on from the last cursor loses and doubles
    /// nothing that was committed with a cursor.
    private static func checkReading(_ connector: some Connector, _ stream: String, _ secrets: [String])
        async throws
    {
        let all = try await read(connector, stream, after: nil)
        guard try await read(connector, stream, after: nil) == all else {
            throw fault("reading twice differs")
        }
        for item in all {
            for secret in secrets where "\(item)".contains(secret) { throw fault("a secret is shown") }
        }
        let sample = try await connector.sample(stream, limit: 1)
        guard sample.count <= 1 else { throw fault("the sample is larger than asked") }
        for stop in 0...all.count {
            let committed = all[..<stop].lastIndex { if case .cursor = $0 { true } else { false } }
            var cursor: Cursor?
            if let committed, case .cursor(let position) = all[committed] { cursor = position }
            let rest = try await read(connector, stream, after: cursor)
            let done = committed.map { Array(all[...$0]) } ?? []
            guard done + rest == all else {
                throw fault("killed behind item \(stop), something is lost or doubled")
            }
        }
    }

    private static func read(
        _ connector: some Connector, _ stream: String, after cursor: Cursor?
    ) async throws -> [ConnectorItem] {
        var items: [ConnectorItem] = []
        try await connector.read(stream, after: cursor) { item in
            items.append(item)
            return .accepted
        }
        return items
    }
}
