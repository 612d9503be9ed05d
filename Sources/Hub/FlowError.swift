// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a flow.

package import Diagnostics

/// A flow that cannot be used, or a request that names none.
package struct FlowError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case connector = "FLOW-CONNECTOR"
        case direction = "FLOW-DIRECTION"
        case unknown = "FLOW-UNKNOWN"
        case test = "FLOW-TEST"
        case paused = "FLOW-PAUSED"
        case mailServer = "FLOW-MAIL-SERVER"
        case slow = "FLOW-SLOW"
        case renamed = "FLOW-RENAMED"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

/// Everything that is wrong with a flow file.
package struct FlowFaults: Error, Sendable {
    /// The faults, in the file's order.
    package let faults: [Diagnostic]
}
