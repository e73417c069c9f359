"""KYC by face for Django: is the person in this photo the holder of this ID number?"""

__version__ = "0.1.0"
