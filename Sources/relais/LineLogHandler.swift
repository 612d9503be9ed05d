// SPDX-License-Identifier: Apache-2.0
// The log: one line an event on standard error, as text or as JSON.

internal import ArgumentParser
internal import Hub
internal import Logging
internal import Model

/// How log lines are written.
enum LogFormat: String, ExpressibleByArgument {
    case text, json
}

/// Writes log lines.
struct LineLogHandler: LogHandler {
    let format: LogFormat
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(format: LogFormat) {
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }
        let at = Surroundings.now.description
        switch format {
        case .text:
            let pairs = facts.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            Console.warn("\(at) \(event.level.rawValue) \(event.message)\(pairs)")
        case .json:
            var object: [String: JSONValue] = facts.mapValues { .text("\($0)") }
            object["at"] = .text(at)
            object["level"] = .text(event.level.rawValue)
            object["message"] = .text("\(event.message)")
            Console.warn(JSONValue.object(object).text)
        }
    }
}
