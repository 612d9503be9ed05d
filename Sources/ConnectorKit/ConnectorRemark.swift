// SPDX-License-Identifier: Apache-2.0
// What connectors say while they work: for whoever runs the daemon, not for whoever reads the data.

/// A remark of a connector that works.
package enum ConnectorRemark: Sendable, Hashable {
    /// A line of its own log, with whatever it says: who hears it takes secrets out, and cuts it only then.
    case line(String)
    /// Something that it counted or measured (in seconds, where it is a time).
    case metric(name: String, isTime: Bool, value: Double)
}

/// Who hears what a connector says while it works. Not a task-local value: an optimised build of Swift 6.3.1 crashes
/// where one is set around asynchronous work.
package final class ConnectorListener: Sendable, Hashable {
    /// Takes a remark, from any thread.
    package let hear: @Sendable (ConnectorRemark) -> Void

    /// A listener; no other is the same.
    package init(_ hear: @escaping @Sendable (ConnectorRemark) -> Void) {
        self.hear = hear
    }

    package static func == (left: ConnectorListener, right: ConnectorListener) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}
