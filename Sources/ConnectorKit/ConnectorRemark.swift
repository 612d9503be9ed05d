// SPDX-License-Identifier: Apache-2.0
// What connectors say while they work: for whoever runs the daemon, not for whoever reads the data.

/// A remark of a connector that works.
package enum ConnectorRemark: Sendable, Hashable {
    /// A line of its own log.
    case line(String)
    /// Something that it counted or measured (in seconds, where it is a time).
    case metric(name: String, isTime: Bool, value: Double)

    /// Who hears the remarks of connectors that this task reads; nobody without it.
    @TaskLocal package static var listener: (@Sendable (ConnectorRemark) -> Void)?

    /// Makes a remark.
    package static func make(_ remark: ConnectorRemark) { listener?(remark) }
}
