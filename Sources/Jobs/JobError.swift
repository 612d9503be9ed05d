// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a job.

package import Diagnostics

/// A job that cannot go on, or a request about one that cannot be met.
package struct JobError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        /// Another worker has the job now.
        case leaseLost = "JOB-LEASE-LOST"
        /// The worker was not heard of until its lease ended.
        case leaseExpired = "JOB-LEASE-EXPIRED"
        /// Somebody asked for its end.
        case cancelled = "JOB-CANCELLED"
        /// No handler of this program does it.
        case unknownKind = "JOB-KIND"
        /// The handler threw something that says nothing.
        case failed = "JOB-FAILED"
        /// No such job.
        case unknown = "JOB-UNKNOWN"
        /// A job that is done has nothing to run again.
        case notAgain = "JOB-NOT-AGAIN"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
