"""What a site may listen to; sent after the commit, never a step of ours.

Every receiver gets ``verification_id`` (a UUID) and ``status``. A receiver that fails is
logged and stops nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

#: a photo was accepted and is being compared
verification_submitted = Signal()
#: verified or rejected, by thresholds or by a reviewer
verification_decided = Signal()
#: the person is asked for another photo or for a correction
verification_needs_input = Signal()
#: personal data was destroyed
verification_redacted = Signal()
