"""A number at Twilio: SMS and WhatsApp, missed calls and voicemails.

Here: options, offer (streams, goals, limits), identity (numbers, threads), payload, mapping
(messages) and voice (calls) to our words, api (the calls), reading, calling and looking (walks and
single threads), receiving (pushes), answering, numbers (what is registered), connector, entry.
"""
