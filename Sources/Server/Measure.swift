// SPDX-License-Identifier: Apache-2.0
// Numbers for monitoring, and their text form.

/// Samples of one quantity.
package struct Measure: Sendable, Hashable {
    /// How a quantity behaves.
    package enum Kind: String, Sendable {
        /// Only grows, from 0 at the start of whoever counts.
        case counter
        /// Goes up and down.
        case gauge
    }

    /// A value, told apart by labels of few values: never ids.
    package struct Sample: Sendable, Hashable {
        /// Names and values of the labels, in order.
        package let labels: [Label]
        /// The value.
        package let value: Double

        /// A sample.
        package init(_ value: Double, _ labels: Label...) {
            (self.value, self.labels) = (value, labels)
        }
    }

    /// What tells samples apart.
    package struct Label: Sendable, Hashable {
        let name: String
        let value: String

        /// A label.
        package init(_ name: String, _ value: String) {
            (self.name, self.value) = (name, value)
        }
    }

    /// Name with its unit, as Prometheus wants names.
    package let name: String
    /// One sentence.
    package let help: String
    /// How it behaves.
    package let kind: Kind
    /// Its values.
    package let samples: [Sample]

    /// A quantity with its samples.
    package init(_ kind: Kind, _ name: String, _ help: String, _ samples: [Sample]) {
        (self.kind, self.name, self.help, self.samples) = (kind, name, help, samples)
    }

    /// The lines of the text format.
    ///
    /// - Source: Prometheus text exposition format 0.0.4.
    var text: String {
        var lines = ["# HELP \(name) \(help)", "# TYPE \(name) \(kind.rawValue)"]
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            let list = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
            lines.append("\(name)\(list) \(Self.number(sample.value))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(value)
    }

    private static func escaped(_ value: String) -> String {
        value.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.joined()
    }
}
